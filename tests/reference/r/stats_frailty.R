# Shared gamma frailty by survival::coxph. Run in this folder: Rscript stats_frailty.R > stats_frailty.txt
suppressMessages(library(survival))
say <- function(name, ...) cat(name, "=", sprintf("%.15g", c(...)), "\n")
cat("#", R.version.string, "; survival", as.character(packageVersion("survival")), "\n")
strict <- coxph.control(eps = 1e-12, iter.max = 200, outer.max = 200, toler.chol = 1e-15)
both <- function(name, d) { fit(name, d); fit(paste0(name, ".known"), d, 0.5) }
fit <- function(name, d, theta = NULL) {
  x <- grep("^x", names(d), value = TRUE)
  cluster <- if (is.null(theta)) "frailty(cluster, dist = 'gamma', eps = 1e-10, sparse = FALSE)"
             else sprintf("frailty(cluster, dist = 'gamma', theta = %g, sparse = FALSE)", theta)
  m <- coxph(as.formula(paste("Surv(time, event) ~", paste(c(x, cluster), collapse = "+"))), d, control = strict)
  h <- m$history[[1]]
  say(paste0(name, ".coef"), coef(m)[x]); say(paste0(name, ".se"), sqrt(diag(as.matrix(m$var)))[seq_along(x)])
  say(paste0(name, ".theta"), if (is.null(theta)) h$theta else theta); say(paste0(name, ".loglik"), h$c.loglik)
  if (is.null(theta)) say(paste0(name, ".null"), coxph(as.formula(paste("Surv(time, event) ~", paste(x, collapse = "+"))), d)$loglik[2])
  if (is.null(theta)) write.csv(d, paste0("data/frailty_", name, ".csv"), row.names = FALSE)
}
both("kidney", with(kidney, data.frame(time, event = status, x1 = age, x2 = sex, cluster = id)))
both("rats", with(rats[rats$sex == "f", ], data.frame(time, event = status, x1 = rx, cluster = litter)))
both("lung", with(lung[!is.na(lung$inst), ], data.frame(time, event = status - 1, x1 = sex, x2 = age, cluster = inst)))
both("diabetic", with(diabetic, data.frame(time, event = status, x1 = trt, x2 = risk, cluster = id)))
