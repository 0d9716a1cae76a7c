# Group-sequential boundaries, power and sample size from rpact.
# Run:  Rscript stats_sequential.R > stats_sequential.txt
suppressMessages(library(rpact))
say <- function(name, ...) cat(name, "=", paste(sprintf("%.15g", c(...)), collapse = " "), "\n")
cat("# ", R.version.string, "; rpact ", as.character(packageVersion("rpact")), "\n", sep = "")
looks <- list(c(.5,1), c(.6,1), c(2/3,1), c(.7,1), c(.75,1), c(.8,1), c(.5,.75,1), c(1/3,2/3,1), c(.25,.5,.75,1), c(.2,.4,.6,.8,1))
for (i in seq_along(looks)) for (type in c("asOF", "asP", "asHSD")) {
  d <- getDesignGroupSequential(informationRates = looks[[i]], typeOfDesign = type, gammaA = if (type == "asHSD") -4 else NA_real_,
                                alpha = 0.025, sided = 1, tolerance = 1e-10)
  key <- paste(type, i, sep = ".")
  say(paste0("bound.", key), d$criticalValues); say(paste0("spent.", key), d$alphaSpent)
  for (drift in c(2, 3.2415)) {
    p <- getPowerAndAverageSampleNumber(d, theta = drift / 10, nMax = 100)
    say(paste("power", key, drift, sep = "."), p$calculatedPower)
  }
}
for (i in seq_along(looks)) say(paste0("looks.", i), looks[[i]])
d <- getDesignGroupSequential(informationRates = c(1/3, 2/3, 1), typeOfDesign = "asHSD", gammaA = 2, alpha = 0.05, tolerance = 1e-10)
say("bound.hsd2", d$criticalValues)
d <- getDesignGroupSequential(informationRates = c(1/3, 2/3, 1), typeOfDesign = "asKD", gammaA = 2, alpha = 0.05, tolerance = 1e-10)
say("bound.kd2", d$criticalValues)

# Schoenfeld and accrual: fixed designs
s1 <- getDesignGroupSequential(kMax = 1, alpha = 0.025, beta = 0.2)
for (hr in c(0.6, 0.65, 0.75)) for (ratio in c(1, 2)) {
  e <- getSampleSizeSurvival(s1, hazardRatio = hr, lambda2 = log(2) / 12, accrualTime = 24, followUpTime = 12,
                             allocationRatioPlanned = ratio, typeOfComputation = "Schoenfeld")
  say(paste("schoenfeld", hr, ratio, sep = "."), e$eventsFixed)
  say(paste("subjects", hr, ratio, sep = "."), e$nFixed)
}
ev <- getEventProbabilities(time = c(6, 12, 24, 36), accrualTime = 24, lambda2 = log(2) / 12, hazardRatio = 0.65, dropoutRate1 = 0.05,
                            dropoutRate2 = 0.05, dropoutTime = 12, allocationRatioPlanned = 1)
say("events.exponential", ev$cumulativeEventProbabilities)
ev <- getEventProbabilities(time = c(6, 12, 24, 36), accrualTime = c(0, 6, 24), accrualIntensity = c(5, 15), piecewiseSurvivalTime = c(0, 4, 10),
                            lambda2 = c(0.03, 0.06, 0.02), hazardRatio = 0.7, dropoutRate1 = 0.1, dropoutRate2 = 0.05, dropoutTime = 12,
                            allocationRatioPlanned = 2, maxNumberOfSubjects = 300)
say("events.piecewise", ev$cumulativeEventProbabilities)
