# The subdistribution hazard of Fine and Gray: cmprsk's crr, and survival's finegray with coxph.
# Run:  Rscript stats_finegray.R > stats_finegray.txt
suppressMessages({library(survival); library(cmprsk)})
say <- function(name, ...) cat(name, "=", paste(sprintf("%.15g", c(...)), collapse = " "), "\n")
cat("# ", R.version.string, "; survival ", as.character(packageVersion("survival")),
    "; cmprsk ", as.character(packageVersion("cmprsk")), "\n", sep = "")
tight <- coxph.control(eps = 1e-12, toler.chol = 1e-14, iter.max = 100)
one <- function(name, time, why, X, cause) {
  f <- crr(time, why, X, failcode = cause, cencode = 0, gtol = 1e-12, maxiter = 100)
  say(paste(name, cause, "crr", sep = "."), f$coef, sqrt(diag(f$var)))
  d <- data.frame(time = time, why = factor(why, 0:max(why)), id = seq_along(time)); d$X <- X
  g <- finegray(Surv(time, why) ~ X + id, d, etype = as.character(cause))
  for (ties in c("efron", "breslow")) {
    f <- coxph(Surv(fgstart, fgstop, fgstatus) ~ X, g, weights = fgwt, ties = ties, control = tight, robust = TRUE, cluster = id)
    say(paste(name, cause, ties, sep = "."), coef(f), sqrt(diag(vcov(f))))
  }
}
m <- read.csv("data/mgus2.csv"); m <- m[m$etime > 0, ]
one("mgus2", m$etime, m$why, cbind(m$sex == "M", m$age / 10), 1); one("mgus2", m$etime, m$why, cbind(m$sex == "M", m$age / 10), 2)
t <- read.csv("data/transplant.csv"); t <- t[t$futime > 0, ]
one("transplant", t$futime, t$why, cbind(t$sex == "f"), 1); one("transplant", t$futime, t$why, cbind(t$sex == "f"), 2)
b <- read.csv("data/bladder1.csv"); one("bladder", b$stop, b$why, cbind(b$treatment == "thiotepa"), 1)
