# Time-to-event estimators on data sets that ship with R's survival package, brought to one shape.
# Run:  Rscript stats_datasets.R > stats_datasets.txt      (also writes data/<name>.csv)
suppressMessages(library(survival))
say <- function(name, ...) cat(name, "=", paste(sprintf("%.15g", c(...)), collapse = " "), "\n")
cat("# ", R.version.string, "; survival ", as.character(packageVersion("survival")), "\n", sep = "")
tight <- coxph.control(eps = 1e-11, toler.chol = 1e-13, iter.max = 50)

shape <- function(time, event, group, stratum, x) {
  d <- data.frame(time = time, event = as.numeric(event), group = as.numeric(group),
                  stratum = as.numeric(as.factor(stratum)), x = x)
  d[complete.cases(d), ]
}
sets <- list(
  lung = with(lung, shape(time, status == 2, sex == 2, ph.ecog, age)),
  veteran = with(veteran, shape(time, status, trt == 2, celltype, karno)),
  ovarian = with(ovarian, shape(futime, fustat, rx == 2, ecog.ps, age)),
  colon = with(colon[colon$etype == 2, ], shape(time, status, rx == "Lev+5FU", differ, nodes)),
  pbc = with(pbc[!is.na(pbc$trt), ], shape(time, status == 2, trt == 1, edema, log(bili))),
  aml = with(aml, shape(time, status, x == "Maintained", rep(1:2, length.out = 23), rep(1:5, length.out = 23))),
  kidney = with(kidney, shape(time, status, sex == 2, disease, age)),
  stanford2 = with(stanford2, shape(time, status, t5 > 1, age > 45, age)),
  gbsg = with(gbsg, shape(rfstime, status, hormon, grade, age)),
  retinopathy = with(retinopathy, shape(futime, status, trt, laser, risk)),
  mgus = with(mgus, shape(futime, death, sex == "male", age > 65, alb)),
  rats = with(rats, shape(time, status, rx, sex, litter)),
  cgd = with(cgd[cgd$enum == 1, ], shape(tstop, status, treat == "rIFN-g", inherit, age)),
  nwtco = with(nwtco, shape(edrel, rel, histol == 2, stage, age)),
  transplants = with(transplant, shape(pmax(futime, 0), event == "death", sex == "f", abo, year)),
  udca = with(udca1, shape(futime, status, trt, stage, log(bili))),
  rotterdam = with(rotterdam[seq(1, 2982, 3), ], shape(rtime, recur, hormon, grade, nodes)),
  diabetic = with(diabetic, shape(time, status, trt, eye, risk))
)
for (name in names(sets)) {
  d <- sets[[name]]
  # 15 digits: R and Python then read the same number
  d$x <- as.numeric(sprintf("%.15g", d$x)); d$time <- as.numeric(sprintf("%.15g", d$time))
  write.csv(format(d, digits = 15, trim = TRUE, scientific = FALSE), paste0("data/", name, ".csv"), row.names = FALSE, quote = FALSE)
  d <- read.csv(paste0("data/", name, ".csv"))
  of <- function(what) paste(name, what, sep = ".")
  km <- survfit(Surv(time, event) ~ 1, d, conf.type = "log-log")
  q <- quantile(km, c(0.1, 0.25, 0.5))
  say(of("km.quantile"), q$quantile); say(of("km.lower"), q$lower); say(of("km.upper"), q$upper)
  at <- as.numeric(quantile(d$time, c(0.2, 0.5, 0.8), type = 1)); s <- summary(km, times = at)
  say(of("km.times"), at); say(of("km.at"), s$surv, s$lower, s$upper); say(of("km.risk"), s$n.risk)
  tau <- at[3]; r <- summary(km, rmean = tau)$table
  say(of("rmst"), tau, r["rmean"], r["se(rmean)"])
  lr <- survdiff(Surv(time, event) ~ group, d); say(of("logrank"), lr$chisq, lr$exp, lr$var[2, 2])
  ls <- survdiff(Surv(time, event) ~ group + strata(stratum), d); say(of("logrank.strata"), ls$chisq)
  say(of("peto"), survdiff(Surv(time, event) ~ group + strata(stratum), d, rho = 1)$chisq)
  for (ties in c("efron", "breslow", if (nrow(d) < 400) "exact")) {
    f <- coxph(Surv(time, event) ~ group + x, d, ties = ties, control = tight)
    say(of(paste0("cox.", ties)), coef(f), sqrt(diag(vcov(f))), f$loglik, f$score)
  }
  f <- coxph(Surv(time, event) ~ group + x + strata(stratum), d, control = tight)
  say(of("cox.strata"), coef(f), sqrt(diag(vcov(f))), f$loglik, f$score, f$wald.test)
  for (tr in c("km", "identity", "rank", "log")) if (tr != "log" || min(d$time) > 0)
    say(of(paste0("zph.", tr)), cox.zph(f, transform = tr)$table[, "chisq"])
  w <- (seq_len(nrow(d)) %% 3 + 1) / 2
  f <- coxph(Surv(time, event) ~ group + x, d, weights = w, control = tight, robust = FALSE)
  say(of("cox.weights"), coef(f), sqrt(diag(vcov(f))), f$loglik)
  f <- coxph(Surv(time, event) ~ group + x + strata(stratum), d, control = tight, robust = TRUE)
  say(of("cox.robust"), sqrt(diag(vcov(f))))
  k <- survfit(Surv(time, event) ~ 1, d, weights = rep(1:2, length.out = nrow(d)), conf.type = "log-log", robust = FALSE)
  s <- summary(k, times = at); say(of("km.weights"), s$surv, s$std.err, s$n.risk)
}

# Left truncation and covariates that change
m <- subset(mgus2, futime > 0); m$start <- pmax(0, m$age - 60) / 10; m$stop <- m$start + m$futime
m$woman <- as.numeric(m$sex == "F"); m$high <- as.numeric(m$mspike > 1.2); m <- m[!is.na(m$high), ]
m$start <- as.numeric(sprintf("%.12g", m$start)); m$stop <- as.numeric(sprintf("%.12g", m$stop))
write.csv(m[, c("start", "stop", "death", "woman", "high")], "data/mgus2_delayed.csv", row.names = FALSE, quote = FALSE)
k <- survfit(Surv(start, stop, death) ~ 1, m, conf.type = "log-log"); s <- summary(k, times = c(12, 60, 120))
say("delayed.km", s$surv, s$std.err, s$lower, s$upper); say("delayed.risk", s$n.risk)
f <- coxph(Surv(start, stop, death) ~ woman + high, m, control = tight)
say("delayed.cox", coef(f), sqrt(diag(vcov(f))), f$loglik, f$score); say("delayed.zph", cox.zph(f)$table[, "chisq"])
h <- heart; h$t <- as.numeric(h$transplant) - 1
write.csv(h[, c("start", "stop", "event", "age", "surgery", "t", "id")], "data/heart.csv", row.names = FALSE, quote = FALSE)
h <- read.csv("data/heart.csv")
for (ties in c("efron", "breslow")) {
  f <- coxph(Surv(start, stop, event) ~ age + surgery + t, h, ties = ties, control = tight)
  say(paste0("heart.", ties), coef(f), sqrt(diag(vcov(f))), f$loglik)
}
f <- coxph(Surv(start, stop, event) ~ age + surgery + t, h, control = tight, cluster = id)
say("heart.robust", sqrt(diag(vcov(f)))); say("heart.zph", cox.zph(f)$table[, "chisq"])
