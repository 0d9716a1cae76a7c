# Repeated measures by REML: nlme's gls for the fit, pbkrtest for Kenward-Roger where lme4 has the model
# (a random intercept is compound symmetry), and Satterthwaite from the definition by numerical derivatives of
# the restricted likelihood of the whole data set, written down without any block structure.
# Run:  Rscript stats_mmrm.R > stats_mmrm.txt
suppressMessages({library(nlme); library(lme4); library(pbkrtest)})
say <- function(name, ...) cat(name, "=", paste(sprintf("%.15g", c(...)), collapse = " "), "\n")
cat("# ", R.version.string, "; nlme ", as.character(packageVersion("nlme")), "; lme4 ", as.character(packageVersion("lme4")),
    "; pbkrtest ", as.character(packageVersion("pbkrtest")), "\n", sep = "")
tight <- glsControl(tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 5000, opt = "nlminb")

orth <- data.frame(y = Orthodont$distance, patient = as.integer(factor(as.character(Orthodont$Subject))), visit = (Orthodont$age - 8) / 2 + 1,
                   arm = as.numeric(Orthodont$Sex == "Female"))
chick <- subset(as.data.frame(ChickWeight), Time %in% c(0, 4, 8, 12, 16) & Diet %in% c(1, 3))
chick <- data.frame(y = 10 * log(chick$weight), patient = as.integer(factor(as.character(chick$Chick))), visit = chick$Time / 4 + 1,
                    arm = as.numeric(chick$Diet == 3))
gap <- orth[-c(2, 7, 12, 13, 29, 40, 55, 56, 73, 90), ]
for (name in c("orthodont", "orthodont_gaps", "chick")) {
  d <- list(orthodont = orth, orthodont_gaps = gap, chick = chick)[[name]]
  d$y <- as.numeric(sprintf("%.10g", d$y)); d <- d[order(d$patient, d$visit), ]
  write.csv(d, paste0("data/", name, ".csv"), row.names = FALSE, quote = FALSE)
  T <- max(d$visit); f <- factor(d$visit); X <- cbind(model.matrix(~ 0 + f), model.matrix(~ 0 + f) * d$arm)
  d$f <- f
  fits <- list(unstructured = gls(y ~ 0 + X, d, correlation = corSymm(form = ~ visit | patient), weights = varIdent(form = ~ 1 | f), control = tight),
               ar1 = gls(y ~ 0 + X, d, correlation = corAR1(form = ~ visit | patient), control = tight),
               "compound-symmetry" = gls(y ~ 0 + X, d, correlation = corCompSymm(form = ~ 1 | patient), control = tight))
  for (s in names(fits)) {
    say(paste(name, s, "coef", sep = "."), coef(fits[[s]]))
    say(paste(name, s, "se", sep = "."), sqrt(diag(vcov(fits[[s]]))))
    say(paste(name, s, "loglik", sep = "."), as.numeric(logLik(fits[[s]])))
  }
  # Satterthwaite and Kenward-Roger from the definitions
  lag <- abs(outer(1:T, 1:T, "-")); same <- outer(d$patient, d$patient, "=="); k <- d$visit
  build <- list(
    unstructured = function(th) { L <- matrix(0, T, T); L[lower.tri(L, TRUE)] <- th; S <- L %*% t(L); S[k, k] * same },  # Cholesky
    ar1 = function(th) (th[1] * th[2]^lag)[k, k] * same,
    "compound-symmetry" = function(th) (th[1] * diag(T) + th[2])[k, k] * same)
  reml <- function(th, s) {
    V <- build[[s]](th); ch <- tryCatch(chol(V), error = function(e) NULL); if (is.null(ch)) return(-1e10)
    A <- chol2inv(ch); M <- t(X) %*% A %*% X; b <- solve(M, t(X) %*% A %*% d$y); r <- d$y - X %*% b
    -0.5 * (2 * sum(log(diag(ch))) + determinant(M)$modulus + drop(t(r) %*% A %*% r) + (nrow(d) - ncol(X)) * log(2 * pi))
  }
  cov_beta <- function(th, s) solve(t(X) %*% solve(build[[s]](th), X))
  for (s in names(fits)) {
    # parameters from gls (steps for the derivatives: a share of the spread of a visit given those before), polished by Newton steps on the restricted likelihood
    g <- fits[[s]]; R <- if (s == "unstructured") { full <- corMatrix(g$modelStruct$corStruct); full <- full[[which.max(sapply(full, nrow))]]
        sd <- g$sigma / attr(g$modelStruct$varStruct, "weights")[match(1:T, k)]; S <- t(chol(outer(sd, sd) * full)); S[lower.tri(S, TRUE)] } else
      if (s == "ar1") c(g$sigma^2, coef(g$modelStruct$corStruct, unconstrained = FALSE)) else {
        r <- coef(g$modelStruct$corStruct, unconstrained = FALSE); g$sigma^2 * c(1 - r, r) }
    th <- unname(R); K <- length(th); size <- if (s == "unstructured") diag(S)[row(S)[lower.tri(S, TRUE)]] else pmax(abs(th), 0.05); h <- 2e-3 * size
    grad <- function(th) sapply(1:K, function(i) { e <- replace(numeric(K), i, h[i])
      (8 * (reml(th + e, s) - reml(th - e, s)) - (reml(th + 2 * e, s) - reml(th - 2 * e, s))) / (12 * h[i]) })
    hess <- function(th) { H <- sapply(1:K, function(i) { e <- replace(numeric(K), i, h[i])
      (8 * (grad(th + e) - grad(th - e)) - (grad(th + 2 * e) - grad(th - 2 * e))) / (12 * h[i]) }); (H + t(H)) / 2 }
    H <- hess(th); for (i in 1:4) th <- th - solve(H, grad(th)); H <- hess(th)
    W <- solve(-H); L <- replace(numeric(2 * T), 2 * T, 1)
    dv <- sapply(1:K, function(i) { e <- replace(numeric(K), i, h[i])
      drop(L %*% (8 * (cov_beta(th + e, s) - cov_beta(th - e, s)) - (cov_beta(th + 2 * e, s) - cov_beta(th - 2 * e, s))) %*% L) / (12 * h[i]) })
    v <- drop(L %*% cov_beta(th, s) %*% L)
    say(paste(name, s, "satterthwaite", sep = "."), 2 * v^2 / drop(dv %*% W %*% dv), sqrt(v), reml(th, s))
  }
  m <- lmer(y ~ 0 + X + (1 | patient), d, control = lmerControl(optCtrl = list(xtol_abs = 1e-13, ftol_abs = 1e-15)))
  L <- replace(numeric(2 * T), 2 * T, 1)
  say(paste0(name, ".kr"), get_Lb_ddf(m, L), sqrt(drop(L %*% as.matrix(vcovAdj(m)) %*% L)))
}
