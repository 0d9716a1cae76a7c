# Interval-censored survival: Turnbull's estimate by plain EM over every pair of neighbouring end points, run until
# nothing moves, and by survival's survfit(type = "interval2"), which stops at 5e-5.
# Run:  Rscript stats_interval.R > stats_interval.txt
# breast: radiotherapy arm of the cosmesis data, Finkelstein and Wolfe, Biometrics 1985;41:933.
# pbcseq ships with R: enlarged liver first seen at a visit, or death before that (exact).
suppressMessages(library(survival))
say <- function(name, ...) cat(name, "=", paste(sprintf("%.15g", c(...)), collapse = " "), "\n")
cat("# ", R.version.string, "; survival ", as.character(packageVersion("survival")), "\n", sep = "")
breast <- data.frame(
  left = c(45, 6, 0, 46, 46, 7, 17, 7, 37, 0, 4, 15, 11, 22, 46, 46, 25, 46, 26, 46, 27, 36, 46, 36, 37, 40, 17, 46, 11, 38, 5,
           37, 0, 18, 24, 36, 5, 19, 17, 24, 32, 33, 19, 37, 34, 36),
  right = c(Inf, 10, 7, Inf, Inf, 16, Inf, 14, 44, 8, 11, Inf, 15, Inf, Inf, Inf, 37, Inf, 40, Inf, 34, 44, Inf, 48, Inf, Inf,
            25, Inf, 18, Inf, 12, Inf, 5, Inf, Inf, Inf, 11, 35, 25, Inf, Inf, Inf, 26, Inf, Inf, Inf))
p <- pbcseq[!is.na(pbcseq$hepato), ]; p <- p[order(p$id, p$day), ]
one <- function(d) {
  if (d$hepato[1] == 1) return(NULL)  # had it when the study began
  first <- which(d$hepato == 1)[1]
  if (!is.na(first)) return(c(d$day[first - 1], d$day[first]))
  if (d$status[1] == 2) return(c(d$futime[1], d$futime[1]))
  c(max(d$day), Inf)
}
liver <- as.data.frame(do.call(rbind, lapply(split(p, p$id), one))); names(liver) <- c("left", "right")
for (name in c("breast", "liver")) {
  d <- get(name); write.csv(d, paste0("data/interval_", name, ".csv"), row.names = FALSE, quote = FALSE)
  ends <- sort(unique(c(d$left, d$right, if (any(d$left == d$right)) d$left[d$left == d$right] - 0.5)))
  lo <- head(ends, -1); hi <- ends[-1]
  left <- ifelse(d$left == d$right, d$left - 0.5, d$left)
  A <- 1 * (outer(left, lo, "<=") & outer(d$right, hi, ">="))
  mass <- rep(1 / length(lo), length(lo))
  for (i in 1:100000) {
    new <- mass * colSums(A / as.vector(A %*% mass)) / nrow(d)
    if (max(abs(new - mass)) < 1e-16) break
    mass <- new
  }
  at <- unique(round(quantile(c(d$left, d$right[is.finite(d$right)]), (1:9) / 10, type = 1)))
  say(paste0(name, ".loglik"), sum(log(A %*% mass)))
  say(paste0(name, ".times"), at)
  # both sides of the interval in which the time falls
  say(paste0(name, ".high"), sapply(at, function(t) 1 - sum(mass[hi <= t])))
  say(paste0(name, ".low"), sapply(at, function(t) 1 - sum(mass[lo < t])))
  s <- summary(survfit(Surv(ifelse(left == 0, NA, d$left), ifelse(is.finite(d$right), d$right, NA), type = "interval2") ~ 1), times = at, extend = TRUE)
  say(paste0(name, ".survfit"), s$surv)
}
