# One task of bench/simulate.py:  Rscript simulate.R DESIGN TRIALS  prints seconds a trial.
suppressMessages({library(rpact); library(survival)})
what <- commandArgs(TRUE)[1]; trials <- as.integer(commandArgs(TRUE)[2])
one <- getDesignGroupSequential(kMax = 1, alpha = 0.025, sided = 1)
three <- getDesignGroupSequential(informationRates = c(0.5, 0.75, 1), alpha = 0.025, sided = 1, typeOfDesign = "asOF")
task <- list(
  A = function(n) getSimulationSurvival(one, lambda2 = log(2) / 7, hazardRatio = 0.6, directionUpper = FALSE,
    accrualTime = c(0, 30), maxNumberOfSubjects = 129, plannedEvents = 90, allocation1 = 2, allocation2 = 1,
    maxNumberOfIterations = n, seed = 1),
  B = function(n) getSimulationSurvival(three, piecewiseSurvivalTime = c(0, 4), lambda2 = rep(log(2) / 12, 2),
    lambda1 = log(2) / 12 * c(1, 0.65), directionUpper = FALSE, accrualTime = c(0, 24), maxNumberOfSubjects = 600,
    plannedEvents = c(210, 315, 420), dropoutRate1 = 0.05, dropoutRate2 = 0.05, dropoutTime = 12,
    maxNumberOfIterations = n, seed = 1),
  S = function(n) for (k in seq_len(n)) survdiff(Surv(pmin(t, end), t <= end) ~ g + strata(s))
)[[what]]
set.seed(1); s <- sample(3, 600, TRUE); g <- rep(0:1, 300)
t <- rexp(600) / (0.06 * c(1, 1.3, 0.7)[s]); end <- quantile(t, 0.7)
invisible(task(50))
begin <- proc.time()[["elapsed"]]; invisible(task(trials)); cat((proc.time()[["elapsed"]] - begin) / trials)
