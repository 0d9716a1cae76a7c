# Profile and Firth limits, Breslow-Day, exact tables: each worked out in R from its definition or by R's own function.
# Run:  Rscript stats_extra.R > stats_extra.txt
suppressMessages(library(survival))
say <- function(name, ...) cat(name, "=", paste(sprintf("%.15g", c(...)), collapse = " "), "\n")
cat("# ", R.version.string, "; survival ", as.character(packageVersion("survival")), "\n", sep = "")
tight <- coxph.control(eps = 1e-12, toler.chol = 1e-14, iter.max = 100)

# Profile limits: coxph with the coefficient held by an offset, the fall found by uniroot
profile <- function(d, ties) {
  fit <- coxph(Surv(time, event) ~ group + x, d, ties = ties, control = tight)
  for (j in 1:2) {
    held <- function(b) {
      X <- d[[c("group", "x")[j]]]; other <- d[[c("x", "group")[j]]]
      coxph(Surv(time, event) ~ other + offset(b * X), d, ties = ties, control = tight)$loglik[2]
    }
    f <- function(b) 2 * (fit$loglik[2] - held(b)) - qchisq(0.95, 1)
    b <- coef(fit)[j]; s <- sqrt(vcov(fit)[j, j])
    say(paste(d$name[1], ties, j, sep = "."), exp(c(uniroot(f, c(b - 6 * s, b), tol = 1e-12)$root, uniroot(f, c(b, b + 6 * s), tol = 1e-12)$root)))
  }
}
for (name in c("ovarian", "veteran", "aml")) {
  d <- read.csv(paste0("data/", name, ".csv")); d$name <- paste0("profile.", name)
  profile(d, "efron"); profile(d, "breslow")
}

# Firth: the penalised log-likelihood of coxph at fixed coefficients, maximised by optimise
firth <- function(name, d) {
  at <- function(b) {
    f <- coxph(Surv(time, event) ~ group, d, init = b, control = coxph.control(iter.max = 0))
    f$loglik[1] + 0.5 * log(1 / vcov(f)[1, 1])
  }
  best <- optimise(at, c(-5, 5), maximum = TRUE, tol = 1e-11)
  drop <- function(b) 2 * (best$objective - at(b)) - qchisq(0.95, 1)
  far <- function(side) { b <- best$maximum; while (drop(b) < 0) b <- b + side * 0.5; sort(c(best$maximum, b)) }
  lim <- c(uniroot(drop, far(-1), tol = 1e-11)$root, uniroot(drop, far(1), tol = 1e-11)$root)
  say(paste0("firth.", name), exp(c(best$maximum, lim)), best$objective, at(0),
      pchisq(2 * (best$objective - at(0)), 1, lower.tail = FALSE))
}
for (name in c("ovarian", "aml", "kidney")) suppressWarnings(firth(name, read.csv(paste0("data/", name, ".csv"))))
suppressWarnings(firth("no_events", data.frame(time = c(3, 5, 8, 9, 12, 4, 6, 10, 11, 13), event = c(1, 1, 1, 0, 0, 0, 0, 0, 0, 0), group = rep(0:1, each = 5))))

# Breslow-Day: fitted counts by uniroot on the odds ratio
bd <- function(name, t) {   # t: event (rows: yes, no) by group (columns: 1, 0) by stratum
  t <- t[, , apply(t, 3, function(m) all(rowSums(m) > 0) && all(colSums(m) > 0)), drop = FALSE]
  or <- mantelhaen.test(t)$estimate; a <- t[1, 1, ]; v <- e <- numeric(0)
  for (k in seq_along(a)) {
    m <- t[, , k]; r <- rowSums(m); c1 <- colSums(m)
    f <- function(x) x * (c1[2] - r[1] + x) - or * (r[1] - x) * (c1[1] - x)
    x <- uniroot(f, c(max(0, r[1] - c1[2]), min(r[1], c1[1])), tol = 1e-14)$root
    e <- c(e, x); v <- c(v, 1 / (1/x + 1/(r[1] - x) + 1/(c1[1] - x) + 1/(c1[2] - r[1] + x)))
  }
  chi <- sum((a - e)^2 / v); say(paste0("bd.", name), chi, chi - sum(a - e)^2 / sum(v), length(a) - 1)
  g <- mantelhaen.test(t, exact = TRUE)
  say(paste0("exact.", name), g$p.value, mantelhaen.test(t, exact = TRUE, alternative = "greater")$p.value,
      mantelhaen.test(t, exact = TRUE, alternative = "less")$p.value)
  m <- mantelhaen.test(t, correct = FALSE); say(paste0("mh.", name), m$statistic, m$estimate, m$conf.int)
  say(paste0("table.", name), c(t))
}
bd("rules", array(c(10, 20, 5, 25, 8, 15, 4, 18), c(2, 2, 2)))
bd("ucb", UCBAdmissions)
es <- with(esoph, { cases <- tapply(ncases, list(alcgp %in% c("80-119", "120+"), agegp), sum)
                    all <- tapply(ncontrols, list(alcgp %in% c("80-119", "120+"), agegp), sum)
                    array(rbind(cases[2, ], all[2, ], cases[1, ], all[1, ]), c(2, 2, 6)) })
bd("esoph", es)
inf <- with(infert, table(factor(case, 1:0), factor(induced > 0, c(TRUE, FALSE)), education)); bd("infert", inf)
for (m in list(c(7, 2, 3, 9), c(0, 5, 6, 1), c(10, 10, 3, 17))) {
  m2 <- matrix(c(m[1], m[2], m[3], m[4]), 2); f <- fisher.test(m2)
  say(paste(c("fisher", m), collapse = "."), f$p.value, fisher.test(m2, alternative = "greater")$p.value, fisher.test(m2, alternative = "less")$p.value)
}
for (v in list(c(3, 5.5), c(27, 120), c(1, 0.3))) say(paste0("poisson.", v[1]), v[2], poisson.test(v[1], v[2])$conf.int)
