# What stands beside the main analysis, on the veteran and mgus2 data: survival and cmprsk.
# Run:  Rscript analysis_supporting.R > analysis_supporting.txt
suppressMessages({library(survival); library(cmprsk)})
say <- function(name, ...) cat(name, "=", paste(sprintf("%.15g", c(...)), collapse = " "), "\n")
cat("# ", R.version.string, "; survival ", as.character(packageVersion("survival")),
    "; cmprsk ", as.character(packageVersion("cmprsk")), "\n", sep = "")
tight <- coxph.control(eps = 1e-12, toler.chol = 1e-14, iter.max = 100)
fit <- function(formula, d) coxph(formula, d, control = tight)
ratio <- function(name, f) {
  s <- summary(f); say(name, s$conf.int[1, c(1, 3, 4)], s$coefficients[1, 5])
}
v <- read.csv("data/veteran.csv"); v$cell <- factor(v$stratum); v$fit <- v$x >= 60
ratio("unstratified", fit(Surv(time, event) ~ group, v))
ratio("adjusted", fit(Surv(time, event) ~ group + cell + x, v))
d <- survdiff(Surv(time, event) ~ group, v); say("unstratified.chi2", d$chisq)
d <- survdiff(Surv(time, event) ~ group + strata(cell), v); say("logrank.chi2", d$chisq)
d <- survdiff(Surv(time, event) ~ group + strata(cell), v, rho = 1); say("fleming_harrington_1_0.chi2", d$chisq)
whole <- coxph(Surv(time, event) ~ group + strata(cell), v, control = tight)
say("proportional_hazards.chi2", cox.zph(whole, transform = "km", terms = FALSE)$table[1, 1])
edges <- c(0, 30.4375, 91.3125, Inf)
for (i in 1:3) {
  piece <- v[v$time > edges[i], ]
  piece$event <- piece$event * (piece$time <= edges[i + 1]); piece$time <- pmin(piece$time, edges[i + 1])
  ratio(paste0("piece.", i), fit(Surv(time, event) ~ group + strata(cell), piece))
}
for (l in 1:4) ratio(paste0("cell.", l), fit(Surv(time, event) ~ group, v[v$stratum == l, ]))
for (g in c(FALSE, TRUE)) ratio(paste0("fit.", g), fit(Surv(time, event) ~ group, v[v$fit == g, ]))
lrt <- function(name, with, without) {
  chi2 <- 2 * (with$loglik[2] - without$loglik[2]); df <- length(coef(with)) - length(coef(without))
  say(name, chi2, df, pchisq(chi2, df, lower.tail = FALSE))
}
lrt("cell.interaction", fit(Surv(time, event) ~ group * cell, v), fit(Surv(time, event) ~ group + cell, v))
lrt("fit.interaction", fit(Surv(time, event) ~ group * fit, v), fit(Surv(time, event) ~ group + fit, v))
m <- read.csv("data/mgus2.csv"); m <- m[m$etime > 0, ]; m$one <- as.numeric(m$sex == "M")
m$old <- m$age >= 70
ci <- cuminc(m$etime, m$why, m$one, strata = m$old); say("gray.stratified", ci$Tests[1, 1:2])
ci <- cuminc(m$etime, m$why, m$one); say("gray", ci$Tests[1, 1:2])
for (g in 0:1) {
  f <- survfit(Surv(etime, factor(why, 0:2)) ~ 1, m[m$one == g, ], conf.type = "log-log")
  s <- summary(f, times = 120); say(paste0("incidence.", g), s$pstate[1, 2], s$pstate[1, 3])
}
fg <- finegray(Surv(etime, factor(why, 0:2)) ~ one + I(seq_along(etime)), m, etype = "1")
names(fg)[2] <- "id"
f <- coxph(Surv(fgstart, fgstop, fgstatus) ~ one, fg, weights = fgwt, control = tight, robust = TRUE, cluster = id)
say("subdistribution", exp(coef(f)), exp(confint(f)))
ratio("cause_specific", fit(Surv(etime, why == 1) ~ one + strata(old), m))
