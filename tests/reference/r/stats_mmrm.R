# Mixed models for repeated measures: nlme's gls (likelihood, coefficients, errors, covariance) for every
# structure; lmerTest (Satterthwaite) and pbkrtest (Kenward-Roger, expected information) for compound symmetry,
# which is a random intercept.
# Run:  Rscript stats_mmrm.R > stats_mmrm.txt
# data/fev.csv: artificial data of the R package mmrm (Apache-2.0), its 537 observations as printed there, with five
# decimals; the other sets ship with R.
suppressMessages({library(nlme); library(lme4); library(lmerTest); library(pbkrtest)})
say <- function(name, ...) cat(name, "=", paste(sprintf("%.15g", c(...)), collapse = " "), "\n")
cat("# ", R.version.string, "; nlme ", as.character(packageVersion("nlme")), "; lme4 ", as.character(packageVersion("lme4")),
    "; lmerTest ", as.character(packageVersion("lmerTest")), "; pbkrtest ", as.character(packageVersion("pbkrtest")), "\n", sep = "")
save <- function(d, name) write.csv(d, paste0("data/", name, ".csv"), row.names = FALSE, quote = FALSE)

w <- read.csv("data/fev.csv")
fev <- reshape(w, varying = paste0("visit", 1:4), v.names = "y", timevar = "visit", idvar = "subject", direction = "long")
fev <- fev[!is.na(fev$y), ]; fev <- fev[order(fev$subject, fev$visit), ]
fev$group <- as.numeric(fev$arm == "T")
o <- as.data.frame(Orthodont)
ortho <- data.frame(subject = as.integer(factor(as.character(o$Subject))), visit = (o$age - 6) / 2, group = as.numeric(o$Sex == "Female"), y = o$distance)
ortho <- ortho[order(ortho$subject, ortho$visit), ]
gaps <- ortho[-c(3, 8, 11, 12, 20, 37, 55, 56, 90, 108), ]  # the same with ten visits missed
save(ortho, "orthodont"); save(gaps, "orthodont_gaps")
rats <- data.frame(subject = as.integer(as.character(BodyWeight$Rat)), visit = match(BodyWeight$Time, sort(unique(BodyWeight$Time))),
                   group = as.numeric(BodyWeight$Diet != 1), y = BodyWeight$weight)
rats <- rats[rats$visit <= 5, ]; rats <- rats[order(rats$subject, rats$visit), ]
save(rats, "bodyweight")
chicks <- data.frame(subject = as.integer(as.character(ChickWeight$Chick)), visit = match(ChickWeight$Time, sort(unique(ChickWeight$Time))),
                     group = as.numeric(ChickWeight$Diet == 1), y = log(ChickWeight$weight))
chicks <- chicks[chicks$visit >= 7, ]; chicks$visit <- chicks$visit - 6; chicks <- chicks[order(chicks$subject, chicks$visit), ]
chicks$y <- round(chicks$y, 6)
save(chicks, "chickweight")
sets <- list(fev = fev, orthodont = ortho, orthodont_gaps = gaps, bodyweight = rats, chickweight = chicks)

structures <- list(
  "unstructured" = list(corSymm, TRUE), "ar1" = list(corAR1, FALSE), "ar1-heterogeneous" = list(corAR1, TRUE),
  "compound-symmetry" = list(corCompSymm, FALSE), "compound-symmetry-heterogeneous" = list(corCompSymm, TRUE))
control <- glsControl(maxIter = 500, msMaxIter = 2000, tolerance = 1e-12, msTol = 1e-14, returnObject = TRUE, opt = "optim")
control2 <- glsControl(maxIter = 500, msMaxIter = 2000, tolerance = 1e-12, msTol = 1e-14)
for (set in names(sets)) for (s in names(structures)) {
  d <- sets[[set]]; d$v <- factor(d$visit)
  call <- function(control) gls(y ~ v * group, d, correlation = structures[[s]][[1]](form = ~ visit | subject),
    weights = if (structures[[s]][[2]]) varIdent(form = ~ 1 | v), control = control)
  f <- tryCatch(call(control2), error = function(e) tryCatch(call(control), error = function(e) NULL))
  if (is.null(f)) { cat("#", set, s, "not fitted by gls\n"); next }
  say(paste(set, s, "loglik", sep = "."), as.numeric(logLik(f)))
  say(paste(set, s, "coef", sep = "."), coef(f))
  say(paste(set, s, "se", sep = "."), sqrt(diag(vcov(f))))
}
for (set in names(sets)) {
  d <- sets[[set]]; d$v <- factor(d$visit)
  m <- lmer(y ~ v * group + (1 | subject), d, control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.02, rhoend = 1e-10, maxfun = 1e5)))
  c1 <- summary(m)$coefficients
  say(paste(set, "random.se", sep = "."), c1[, 2])
  say(paste(set, "random.satterthwaite", sep = "."), c1[, 3])
  k <- length(unique(d$visit)); L <- cbind(matrix(0, k - 1, k + 1), diag(k - 1))
  a <- contestMD(m, L); say(paste(set, "random.joint", sep = "."), a[["F value"]], a$DenDF, a[["Pr(>F)"]])
  V <- as.matrix(vcovAdj(m)); say(paste(set, "random.kr.se", sep = "."), sqrt(diag(V)))
  say(paste(set, "random.kr.df", sep = "."), sapply(seq_len(2 * k), function(i) KRmodcomp(m, diag(2 * k)[i, , drop = FALSE])$test["Ftest", "ddf"]))
  q <- KRmodcomp(m, L)$test["Ftest", ]; say(paste(set, "random.kr.joint", sep = "."), q$stat, q$ddf, q$p.value)
}
