# Stops for futility by conditional power, simulated by rpact (its own generator, patients at equal steps, fixed pattern of arms).
# Run:  Rscript simulate_futility.R > simulate_futility.txt      (under a minute)
# The bound of futility at the first look is the z at which conditional power is the limit: under the trend seen, and under
# the planned hazard ratio. Each line: z bound, share of trials that reject at each look, share that stop as futile, iterations.
suppressMessages(library(rpact))
cat("# ", R.version.string, "; rpact ", as.character(packageVersion("rpact")), "\n", sep = "")
run <- function(name, hr, events, limit, planned = NA, iterations = 20000) {
  t <- events[1] / events[2]
  free <- getDesignGroupSequential(informationRates = c(t, 1), alpha = 0.025, sided = 1, typeOfDesign = "asOF")
  last <- free$criticalValues[2]
  # conditional power < limit:  z sqrt(t) + drift (1 - t) - last < sqrt(1 - t) qnorm(limit)
  z <- if (is.na(planned)) sqrt(t) * (last + sqrt(1 - t) * qnorm(limit)) else
    (last + sqrt(1 - t) * qnorm(limit) + log(planned) * sqrt(events[2] / 4) * (1 - t)) / sqrt(t)
  d <- getDesignGroupSequential(informationRates = c(t, 1), alpha = 0.025, sided = 1, typeOfDesign = "asUser",
    userAlphaSpending = free$alphaSpent, futilityBounds = z, bindingFutility = FALSE)
  s <- getSimulationSurvival(d, lambda2 = log(2) / 12, lambda1 = hr * log(2) / 12, directionUpper = FALSE,
    accrualTime = c(0, 24), maxNumberOfSubjects = 400, plannedEvents = events, maxNumberOfIterations = iterations, seed = 1)
  cat(name, "=", sprintf("%.15g", c(z, s$rejectPerStage, s$futilityPerStage, iterations)), "\n")
}
run("trend_null", 1, c(150, 300), 0.1)
run("trend_effect", 0.75, c(150, 300), 0.1)
run("trend_early", 0.75, c(90, 300), 0.3)
run("planned_null", 1, c(150, 300), 0.3, 0.75)
run("planned_effect", 0.85, c(150, 300), 0.3, 0.75)
