# Power and timing of survival designs, simulated by rpact (its own generator, patients at equal steps, fixed pattern of arms).
# Run:  Rscript simulate_power.R > simulate_power.txt      (under a minute)
# Each line: share of trials that reject at each look, mean analysis times of the looks, iterations.
suppressMessages(library(rpact))
cat("# ", R.version.string, "; rpact ", as.character(packageVersion("rpact")), "\n", sep = "")
m <- function(median) log(2) / median
run <- function(name, n, months, events, control, effect, cuts = 0, ratio = c(1, 1), loss = 0, type = "asOF", gamma = NA_real_, iterations) {
  k <- length(events)
  d <- if (k == 1) getDesignGroupSequential(kMax = 1, alpha = 0.025, sided = 1) else
    getDesignGroupSequential(informationRates = events / events[k], alpha = 0.025, sided = 1, typeOfDesign = type, gammaA = gamma)
  lambda2 <- rep_len(control, length(cuts))
  s <- getSimulationSurvival(d, piecewiseSurvivalTime = cuts, lambda2 = lambda2, lambda1 = lambda2 * rep_len(effect, length(cuts)),
    directionUpper = FALSE, accrualTime = c(0, months), maxNumberOfSubjects = n, plannedEvents = events,
    allocation1 = ratio[2], allocation2 = ratio[1], dropoutRate1 = loss, dropoutRate2 = loss, dropoutTime = 12,
    maxNumberOfIterations = iterations, seed = 1)
  cat(name, "=", sprintf("%.15g", c(s$rejectPerStage, s$analysisTime, iterations)), "\n")
}
few <- 40000; many <- 8000
run("a", 129, 30, 90, m(7), 0.6, ratio = c(1, 2), iterations = few)
run("a_null", 129, 30, 90, m(7), 1, ratio = c(1, 2), iterations = few)
run("moderate", 129, 30, 105, m(7.5), 0.68, ratio = c(1, 2), loss = 0.03, iterations = few)
run("target", 129, 30, 105, m(7.5), c(1, 0.5), c(0, 2), ratio = c(1, 2), iterations = few)
run("harm", 129, 30, 105, m(7.5), c(1.3, 0.5), c(0, 1.5), ratio = c(1, 2), iterations = few)
run("two_looks", 129, 30, c(74, 105), m(7.5), 0.6, ratio = c(1, 2), loss = 0.03, iterations = few)
run("more_control", 150, 20, 100, m(6), 0.55, ratio = c(2, 1), iterations = few)
run("pocock", 300, 18, c(60, 120, 180), m(10), 0.7, type = "asP", iterations = many)
run("pocock_null", 300, 18, c(60, 120, 180), m(10), 1, type = "asP", loss = 0.1, iterations = many)
run("hsd", 240, 18, c(40, 80, 120, 160), m(9), 0.65, type = "asHSD", gamma = -4, iterations = many)
run("pieces", 400, 24, 250, c(0.03, 0.09, 0.05), 0.7, c(0, 3, 9), loss = 0.05, iterations = many)
run("large", 400, 24, 300, m(12), 0.75, iterations = many)
run("b", 600, 24, c(210, 315, 420), m(12), c(1, 0.65), c(0, 4), loss = 0.05, iterations = many)
run("b_null", 600, 24, c(210, 315, 420), m(12), 1, loss = 0.05, iterations = many)
