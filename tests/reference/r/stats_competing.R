# Cumulative incidence and Gray's test: survival's multi-state survfit, cmprsk's cuminc.
# Run:  Rscript stats_competing.R > stats_competing.txt
suppressMessages({library(survival); library(cmprsk)})
say <- function(name, ...) cat(name, "=", paste(sprintf("%.15g", c(...)), collapse = " "), "\n")
cat("# ", R.version.string, "; survival ", as.character(packageVersion("survival")),
    "; cmprsk ", as.character(packageVersion("cmprsk")), "\n", sep = "")
m <- mgus2; m$etime <- with(m, ifelse(pstat == 0, futime, ptime)); m$why <- with(m, ifelse(pstat == 0, 2 * death, 1))
aj <- survfit(Surv(etime, factor(why, 0:2)) ~ 1, m)
s <- summary(aj, times = c(12, 60, 120, 240))
say("mgus2.cif1", s$pstate[, 2]); say("mgus2.cif2", s$pstate[, 3])
say("mgus2.se1", s$std.err[, 2]); say("mgus2.se2", s$std.err[, 3])
gray <- function(name, ...) { t <- cuminc(...)$Tests; for (i in seq_len(nrow(t))) say(paste0(name, ".", i), t[i, ]) }
gray("gray.mgus2", m$etime, m$why, m$sex)
gray("gray.mgus2.rho", m$etime, m$why, m$sex, rho = 1)
a <- as.numeric(cut(m$age, c(0, 60, 70, 80, 200)))
gray("gray.mgus2.age", m$etime, m$why, a)
gray("gray.mgus2.strata", m$etime, m$why, m$sex, strata = a)
t <- transplant; t$why <- as.numeric(t$event) - 1
gray("gray.transplant", t$futime, t$why, t$abo)
gray("gray.transplant.sex", t$futime, t$why, t$sex)
s <- summary(survfit(Surv(futime, event) ~ 1, t), times = c(30, 100, 365))
for (k in 2:4) { say(paste0("transplant.cif", k - 1), s$pstate[, k]); say(paste0("transplant.se", k - 1), s$std.err[, k]) }
b <- bladder1[bladder1$enum == 1 & bladder1$stop > 0, ]; b$why <- pmin(b$status, 2)
gray("gray.bladder", b$stop, b$why, b$treatment)
write.csv(m[, c("etime", "why", "sex", "age")], "data/mgus2.csv", row.names = FALSE, quote = FALSE)
write.csv(t[, c("futime", "why", "sex", "abo")], "data/transplant.csv", row.names = FALSE, quote = FALSE)
write.csv(b[, c("stop", "why", "treatment")], "data/bladder1.csv", row.names = FALSE, quote = FALSE)
