# One task of bench/simulate.py:  Rscript simulate.R DESIGN TRIALS  prints seconds of processor a trial.
suppressMessages(library(rpact))
what <- commandArgs(TRUE)[1]; trials <- as.integer(commandArgs(TRUE)[2])
if (what == "version") { cat(as.character(packageVersion("rpact"))); quit() }
one <- getDesignGroupSequential(kMax = 1, alpha = 0.025, sided = 1)
three <- getDesignGroupSequential(informationRates = c(0.5, 0.75, 1), alpha = 0.025, sided = 1, typeOfDesign = "asOF")
task <- list(
  A = function(n) getSimulationSurvival(one, lambda2 = log(2) / 7, hazardRatio = 0.6, directionUpper = FALSE,
    accrualTime = c(0, 30), maxNumberOfSubjects = 129, plannedEvents = 90, allocation1 = 2, allocation2 = 1,
    maxNumberOfIterations = n, seed = 1),
  B = function(n) getSimulationSurvival(three, piecewiseSurvivalTime = c(0, 4), lambda2 = rep(log(2) / 12, 2),
    lambda1 = log(2) / 12 * c(1, 0.65), directionUpper = FALSE, accrualTime = c(0, 24), maxNumberOfSubjects = 600,
    plannedEvents = c(210, 315, 420), dropoutRate1 = 0.05, dropoutRate2 = 0.05, dropoutTime = 12,
    maxNumberOfIterations = n, seed = 1)
)[[what]]
invisible(task(50))
spent <- function() sum(proc.time()[1:2])
begin <- spent(); invisible(task(trials)); cat((spent() - begin) / trials)
