# The test vectors of the statistics rules: the 6-MP trial (Freireich et al., Blood 1963;21:699), `lung`, and tables.
# Run:  Rscript stats_vectors.R > stats_vectors.txt
suppressMessages({library(survival); library(mvtnorm)})  # (mvtnorm: MaxCombo only)
say <- function(name, ...) cat(name, "=", paste(sprintf("%.15g", c(...)), collapse = " "), "\n")
cat("# ", R.version.string, "; survival ", as.character(packageVersion("survival")),
    "; mvtnorm ", as.character(packageVersion("mvtnorm")), "\n", sep = "")

tight <- coxph.control(eps = 1e-11, toler.chol = 1e-13, iter.max = 50)
treated <- c(6,6,6,7,10,13,16,22,23, 6,9,10,11,17,19,20,25,32,32,34,35)
control <- c(1,1,2,2,3,4,4,5,5,8,8,8,8,11,11,12,12,15,17,22,23)
mp <- data.frame(time = c(treated, control), event = c(rep(1, 9), rep(0, 12), rep(1, 21)),
                 group = rep(c(1, 0), each = 21), stratum = rep(1:3, 14))

lr <- survdiff(Surv(time, event) ~ group, mp)
say("logrank.chi2", lr$chisq); say("logrank.p", pchisq(lr$chisq, 1, lower.tail = FALSE))
say("logrank.expected", lr$exp); say("logrank.variance", lr$var[2, 2])
ls <- survdiff(Surv(time, event) ~ group + strata(stratum), mp)
say("logrank.stratified.chi2", ls$chisq); say("logrank.stratified.variance", ls$var[2, 2])
say("logrank.rho1.chi2", survdiff(Surv(time, event) ~ group, mp, rho = 1)$chisq)

for (ties in c("efron", "breslow", "exact")) {
  fit <- coxph(Surv(time, event) ~ group, mp, ties = ties, control = tight)
  s <- summary(fit)
  say(paste0("cox.", ties, ".coef"), coef(fit)); say(paste0("cox.", ties, ".se"), sqrt(vcov(fit)))
  say(paste0("cox.", ties, ".hr"), s$conf.int[c(1, 3, 4)])
  say(paste0("cox.", ties, ".tests"), s$logtest[1], s$sctest[1], fit$wald.test)
  say(paste0("cox.", ties, ".loglik"), fit$loglik)
}
fit <- coxph(Surv(time, event) ~ group + strata(stratum), mp, control = tight)
say("cox.stratified", coef(fit), sqrt(vcov(fit)))

for (type in c("log-log", "log", "plain")) {
  for (g in 0:1) {
    km <- survfit(Surv(time, event) ~ 1, mp, subset = group == g, conf.type = type)
    q <- quantile(km, c(0.25, 0.5, 0.75))
    say(paste("km", g, type, "quantile", sep = "."), q$quantile)
    say(paste("km", g, type, "lower", sep = "."), q$lower)
    say(paste("km", g, type, "upper", sep = "."), q$upper)
    s <- summary(km, times = c(6, 12, 20))
    say(paste("km", g, type, "at", sep = "."), s$surv, s$lower, s$upper)
    say(paste("km", g, "se", sep = "."), s$std.err)
  }
}
km1 <- survfit(Surv(time, event) ~ 1, mp, subset = group == 1, conf.type = "log-log")
s <- summary(km1, times = 24); say("km.1.at24", s$surv, s$lower, s$upper)
rk <- quantile(survfit(Surv(time, 1 - event) ~ 1, mp, subset = group == 1, conf.type = "log-log"), 0.5)
say("reverse.1.median", rk$quantile, rk$lower, rk$upper)
for (tau in c(10, 20)) for (g in 0:1) {
  t <- summary(survfit(Surv(time, event) ~ 1, mp, subset = group == g), rmean = tau)$table
  say(paste("rmst", g, tau, sep = "."), t["rmean"], t["se(rmean)"])
}

# Weighted log-rank from the sums at each event time, as R has no function of its own for these weights
sums <- function(w) {
  e <- sort(unique(mp$time[mp$event == 1])); S <- 1; u <- v <- numeric(0); W <- numeric(0)
  for (t in e) {
    n <- sum(mp$time >= t); n1 <- sum(mp$time >= t & mp$group == 1)
    d <- sum(mp$time == t & mp$event == 1); d1 <- sum(mp$time == t & mp$event == 1 & mp$group == 1)
    u <- c(u, d1 - d * n1 / n); v <- c(v, if (n > 1) d * n1/n * (1 - n1/n) * (n - d)/(n - 1) else 0)
    W <- c(W, w(S, t)); S <- S * (1 - d / n)
  }
  list(u = u, v = v, W = W)
}
z <- function(w) { s <- sums(w); sum(s$W * s$u) / sqrt(sum(s$W^2 * s$v)) }
fh <- list(function(S, t) 1, function(S, t) 1 - S, function(S, t) S, function(S, t) S * (1 - S))
Z <- sapply(fh, z); say("fh.z", Z)
W <- sapply(fh, function(w) sums(w)$W); V <- t(W) %*% (W * sums(fh[[1]])$v); C <- cov2cor(V)
say("fh.correlation", C[upper.tri(C)])       # columns of the upper triangle: 00-01 00-10 01-10 00-11 01-11 10-11
set.seed(1)
p <- 1 - pmvnorm(lower = rep(min(Z), 4), upper = rep(Inf, 4), corr = C, algorithm = GenzBretz(maxpts = 2e7, abseps = 1e-9))
say("maxcombo.p_one_sided", p)
Sat <- function(t) { k <- survfit(Surv(time, event) ~ 1, mp); summary(k, times = t)$surv }
for (star in c(6, 10)) { floor <- Sat(star); say(paste0("modest.", star), z(function(S, t) 1 / max(S, floor))) }
for (tr in c("km", "identity", "rank")) {
  zph <- cox.zph(coxph(Surv(time, event) ~ group, mp), transform = tr)$table
  say(paste0("zph.", tr), zph[1, c("chisq", "p")])
}

cr <- data.frame(time = c(1,1,2,3,5,8,9,12,14,20), status = c(1,1,2,1,0,1,2,0,1,0))
aj <- survfit(Surv(time, factor(status, 0:2)) ~ 1, cr)
say("aj.time", aj$time); say("aj.cif1", aj$pstate[, 2]); say("aj.cif2", aj$pstate[, 3])
say("aj.se1", aj$std.err[, 2]); say("aj.se2", aj$std.err[, 3])

write.csv(lung[, c("time", "status", "sex")], "data/lung_raw.csv", row.names = FALSE, quote = FALSE)
fit <- coxph(Surv(time, status) ~ sex, lung, control = tight)
say("lung.cox", coef(fit), sqrt(vcov(fit))); say("lung.logrank", survdiff(Surv(time, status) ~ sex, lung)$chisq)
for (g in 1:2) {
  q <- quantile(survfit(Surv(time, status) ~ 1, lung, subset = sex == g, conf.type = "log-log"), 0.5)
  say(paste0("lung.median.", g), q$quantile, q$lower, q$upper)
}

for (v in list(c(40,100), c(4,38), c(4,18), c(0,22), c(70,100), c(12,67), c(22,22)))
  say(paste0("exact.", v[1], ".", v[2]), binom.test(v[1], v[2])$conf.int)
for (v in list(c(40,100), c(4,38), c(0,22), c(22,22)))
  say(paste0("wilson.", v[1], ".", v[2]), prop.test(v[1], v[2], correct = FALSE)$conf.int)

# Miettinen-Nurminen by brute force: the restricted likelihood is maximised numerically, no closed form
mn <- function(x1, n1, x0, n0, corrected) {
  N <- n1 + n0; f <- if (corrected) N / (N - 1) else 1; d <- x1 / n1 - x0 / n0
  ll <- function(p0, delta) {
    p1 <- p0 + delta
    (if (x1 > 0) x1 * log(p1) else 0) + (if (x1 < n1) (n1 - x1) * log(1 - p1) else 0) +
    (if (x0 > 0) x0 * log(p0) else 0) + (if (x0 < n0) (n0 - x0) * log(1 - p0) else 0)
  }
  slope <- function(p0, delta) {
    p1 <- p0 + delta
    x1 / p1 - (n1 - x1) / (1 - p1) + x0 / p0 - (n0 - x0) / (1 - p0)
  }
  score <- function(delta) {
    lo <- max(0, -delta); hi <- min(1, 1 - delta); e <- 1e-13
    p0 <- if (slope(lo + e, delta) <= 0) lo else if (slope(hi - e, delta) >= 0) hi else
      uniroot(slope, c(lo + e, hi - e), delta = delta, tol = 1e-15)$root
    p1 <- p0 + delta
    (d - delta) / sqrt(f * (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0))
  }
  z <- qnorm(0.975)
  low <- if (d == -1) -1 else uniroot(function(x) score(x) - z, c(-1 + 1e-10, d - 1e-10), tol = 1e-13)$root
  up <- if (d == 1) 1 else uniroot(function(x) score(x) + z, c(d + 1e-10, 1 - 1e-10), tol = 1e-13)$root
  c(low, up)
}
for (v in list(c(56,70,48,80), c(9,10,3,10), c(6,7,2,7), c(5,56,0,29), c(30,86,8,43), c(0,50,0,50), c(50,50,50,50),
               c(3,10,0,10), c(10,10,0,10), c(7,11,3,29))) {
  say(paste(c("mn", v), collapse = "."), mn(v[1], v[2], v[3], v[4], TRUE))
  say(paste(c("mn.plain", v), collapse = "."), mn(v[1], v[2], v[3], v[4], FALSE))
}
m <- mantelhaen.test(array(c(10,5,20,25, 8,4,15,18), c(2, 2, 2)), correct = FALSE)
say("cmh", m$statistic, m$p.value, m$estimate, m$conf.int)
ucb <- mantelhaen.test(UCBAdmissions, correct = FALSE)
say("cmh.ucb", ucb$statistic, ucb$estimate, ucb$conf.int)
say("ucb.counts", c(UCBAdmissions))
say("eair", 12 / 38.5 * 100, poisson.test(12, 38.5)$conf.int * 100)
say("eair.zero", poisson.test(0, 38.5)$conf.int * 100)

# MaxCombo without mvtnorm: as 1 = S + (1 - S), Z00 = a Z10 + b Z01, so three normal values are left. Given Z10 = x and
# Z01 = y, Z11 is normal; integrate over the region where Z10, Z01 and a Z10 + b Z01 are all below c = -min Z.
max_below <- function(c, C) {
  a <- solve(C[c(3, 2), c(3, 2)], C[c(3, 2), 1])                 # Z00 from Z10, Z01, exactly
  k <- solve(C[c(3, 2), c(3, 2)], C[c(3, 2), 4]); r <- C[3, 2]
  s <- sqrt(1 - drop(k %*% C[c(3, 2), 4]))
  inner <- function(x) {
    top <- min(c, (c - a[1] * x) / a[2])
    f <- function(y) dnorm(y, r * x, sqrt(1 - r^2)) * pnorm((c - k[1] * x - k[2] * y) / s)
    lo <- r * x - 10
    if (top <= lo) 0 else integrate(f, lo, top, rel.tol = 1e-12, abs.tol = 0, subdivisions = 2000)$value
  }
  kink <- c * (1 - a[2]) / a[1]
  g <- function(x) dnorm(x) * sapply(x, inner)
  parts <- sort(c(-9, kink, c)); parts <- parts[parts >= -9 & parts <= c]
  sum(sapply(seq_along(parts)[-1], function(i) integrate(g, parts[i - 1], parts[i], rel.tol = 1e-11, subdivisions = 2000)$value))
}
say("maxcombo.p_by_integrate", 1 - max_below(-min(Z), C))
for (c in c(0, 1, 2, 2.5)) say(paste0("max_above.", c), 1 - max_below(c, C))
