# Treatment switching: the rank preserving model by survdiff on a grid and uniroot, with recensoring; censoring weights
# by glm and coxph. The trial is drawn (seed below): 240 patients, control patients may switch at progression, more
# readily the worse their marker, which also drives death.
# Run:  Rscript stats_switching.R > stats_switching.txt
suppressMessages(library(survival))
say <- function(name, ...) cat(name, "=", paste(sprintf("%.15g", c(...)), collapse = " "), "\n")
cat("# ", R.version.string, "; survival ", as.character(packageVersion("survival")), "\n", sep = "")
set.seed(20250411)
n <- 240; group <- rep(0:1, n / 2); stratum <- rbinom(n, 1, 0.4); marker <- rnorm(n)
untreated <- rexp(n, 0.05 * exp(0.4 * marker + 0.3 * stratum)); psi <- -0.5
progression <- 0.6 * untreated * runif(n)
switched <- group == 0 & runif(n) < plogis(-0.3 + 0.8 * marker)
off <- ifelse(group == 1, 0, ifelse(switched, progression, untreated))
total <- off + (untreated - off) * exp(-psi)
censor <- runif(n, 12, 48)
d <- data.frame(group, stratum, marker = round(marker, 4), time = round(pmin(total, censor), 4), event = 1 * (total <= censor),
                censor = round(censor, 4), off = round(off, 4), progression = round(progression, 4))
d$time <- pmin(d$time, d$censor)
d$treated <- ifelse(d$group == 1, d$time, pmax(d$time - d$off, 0)); d$treated[d$group == 0 & !switched] <- 0
d$treated <- round(d$treated, 4)
write.csv(d, "data/switching.csv", row.names = FALSE, quote = FALSE)

counter <- function(psi, recensor, slack = 0) {
  U <- d$time - d$treated + exp(psi) * d$treated
  limit <- if (recensor == "none") Inf else d$censor * min(1, exp(psi))
  if (recensor == "switching-arms") limit <- ifelse(d$group == 1, Inf, limit)  # everybody of arm 1 was always treated
  list(time = pmin(U, limit), event = d$event * (U <= limit * (1 + slack)))
}
z <- function(psi, recensor, strata) {
  u <- counter(psi, recensor)
  s <- if (strata) survdiff(Surv(u$time, u$event) ~ d$group + strata(d$stratum)) else survdiff(Surv(u$time, u$event) ~ d$group)
  o <- if (strata) rowSums(s$obs) else s$obs; e <- if (strata) rowSums(s$exp) else s$exp
  (o[2] - e[2]) / sqrt(s$var[2, 2])
}
for (recensor in c("switching-arms", "all", "none")) for (strata in c(FALSE, TRUE)) {
  name <- paste0("rpsft.", recensor, if (strata) ".strata")
  grid <- seq(-3, 3, length.out = 241); on <- sapply(grid, z, recensor, strata)
  cross <- function(target) {
    steps <- function(x, y) { i <- which((head(y, -1) - target) * (tail(y, -1) - target) < 0); cbind(x[i], x[i + 1]) }
    unlist(apply(steps(grid, on), 1, function(s) {  # a step in which Z passes the target is looked at 64 times closer
      fine <- seq(s[1], s[2], length.out = 65)
      apply(steps(fine, sapply(fine, z, recensor, strata)), 1, function(t)
        uniroot(function(p) z(p, recensor, strata) - target, t, tol = 1e-13, maxiter = 10000)$root)
    }))
  }
  zero <- cross(0); low <- cross(qnorm(0.975)); high <- cross(-qnorm(0.975)); best <- (min(zero) + max(zero)) / 2
  say(paste0(name, ".psi"), best, min(low), max(high)); say(paste0(name, ".crossings"), zero)
  say(paste0(name, ".z"), z(0, recensor, strata), z(-0.5, recensor, strata), z(0.5, recensor, strata))
  u <- counter(best, recensor, 1e-7); time <- ifelse(d$group == 1, d$time, u$time); event <- ifelse(d$group == 1, d$event, u$event)
  f <- if (strata) coxph(Surv(time, event) ~ d$group + strata(d$stratum)) else coxph(Surv(time, event) ~ d$group)
  itt <- z(0, "none", strata); b <- coef(f)[[1]]; half <- qnorm(0.975) * abs(b / itt)
  say(paste0(name, ".hr"), exp(c(b, b - half, b + half))); say(paste0(name, ".recensored"), sum(d$group == 0 & d$event == 1 & u$event == 0))
}

# follow-up in fours of weeks, until the switch; the marker that counts drifts
cut <- 4; rows <- list()
for (i in seq_len(n)) {
  end <- if (d$group[i] == 0 && d$treated[i] > 0) d$off[i] else d$time[i]
  start <- seq(0, max(end - 1e-9, 0), by = cut); stop <- pmin(start + cut, end); k <- length(start)
  rows[[i]] <- data.frame(subject = i, start, stop, event = 0, switch = 0, group = d$group[i], stratum = d$stratum[i],
                          marker = d$marker[i], now = round(d$marker[i] + 0.1 * seq_len(k) + 0.5 * sin(i * seq_len(k)), 4))
  if (end == d$time[i]) rows[[i]]$event[k] <- d$event[i] else rows[[i]]$switch[k] <- 1
}
p <- do.call(rbind, rows); p <- p[p$stop > p$start, ]
write.csv(p, "data/switching_intervals.csv", row.names = FALSE, quote = FALSE)
could <- p$group == 0 & p$event == 0
full <- glm(switch ~ now + stratum + start, binomial, p[could, ], control = glm.control(1e-14, 100))
base <- glm(switch ~ marker + start, binomial, p[could, ], control = glm.control(1e-14, 100))
say("glm.coef", coef(full)); say("glm.se", sqrt(diag(vcov(full)))); say("glm.loglik", as.numeric(logLik(full)))
stays <- function(m) ifelse(p$group == 0, 1 - predict(m, p, type = "response"), 1)
before <- function(x) ave(x, p$subject, FUN = function(v) c(1, head(cumprod(v), -1)))
for (kind in c("plain", "stable")) {
  w <- 1 / before(stays(full)); if (kind == "stable") w <- w * before(stays(base))
  say(paste0("ipcw.", kind, ".weights"), mean(w), max(w), sum(w^2), w[which(w > 1.05)[c(1, 20, 40)]])
  for (strata in c(FALSE, TRUE)) {
    form <- if (strata) Surv(start, stop, event) ~ group + strata(stratum) + cluster(subject) else Surv(start, stop, event) ~ group + cluster(subject)
    f <- coxph(form, p, weights = w, control = coxph.control(eps = 1e-11, iter.max = 50))
    say(paste0("ipcw.", kind, if (strata) ".strata", ".cox"), coef(f), sqrt(diag(vcov(f))), f$naive.var^0.5)
  }
  s <- survfit(Surv(start, stop, event) ~ group, p, weights = w)
  say(paste0("ipcw.", kind, ".curve"), summary(s[1], times = c(6, 12, 24))$surv, summary(s[2], times = c(6, 12, 24))$surv)
}
