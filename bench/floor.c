/* What a simulated trial cannot do without, and nothing else: random numbers, logarithms, sorted rows.
 *
 *   cc -O3 -march=native -o floor floor.c && ./floor        prints "design draws logs sorts all", µs a trial
 *
 * Philox4x32-10 in counter form (subject, stream, replicate), one counter a patient; the logarithm by bits and a series; one sort of
 * the calendar for the cut and one of the times for each look. Eight trials stand side by side in a vector, so
 * that every step is eight trials to an instruction and a sort is a network without a branch (Knuth, The Art of Computer
 * Programming 3, 5.2.2, algorithm M). No patient is enrolled in order, no arm is drawn, no test is made.
 */
#define _POSIX_C_SOURCE 199309L
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LANES = 8, MOST = 600, TRIALS = 20000, RUNS = 3 };

typedef double Row __attribute__((vector_size(8 * LANES)));
typedef int64_t Mask __attribute__((vector_size(8 * LANES)));

static const struct Design {
  const char *name;
  int patients, logs, sorts;
} designs[] = {{"A", 129, 1, 2}, {"B", 600, 2, 4}, {"S", 600, 2, 2}, {"M", 600, 2, 2}};

static double u[4][MOST][LANES] __attribute__((aligned(64)));

static inline void philox(uint32_t subject, uint64_t replicate, uint64_t key) {
  uint32_t c0[LANES], c1[LANES], c2[LANES], c3[LANES], k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int l = 0; l < LANES; l++) {
    c0[l] = subject, c1[l] = 0;
    c2[l] = (uint32_t)(replicate + l), c3[l] = (uint32_t)((replicate + l) >> 32);
  }
  for (int round = 0; round < 10; round++) {
    for (int l = 0; l < LANES; l++) {
      uint64_t a = c0[l] * UINT64_C(0xD2511F53), b = c2[l] * UINT64_C(0xCD9E8D57);
      c0[l] = (uint32_t)(b >> 32) ^ c1[l] ^ k0, c1[l] = (uint32_t)b;
      c2[l] = (uint32_t)(a >> 32) ^ c3[l] ^ k1, c3[l] = (uint32_t)a;
    }
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
  for (int l = 0; l < LANES; l++) {
    u[0][subject][l] = (c0[l] + 0.5) * 0x1p-32, u[1][subject][l] = (c1[l] + 0.5) * 0x1p-32;
    u[2][subject][l] = (c2[l] + 0.5) * 0x1p-32, u[3][subject][l] = (c3[l] + 0.5) * 0x1p-32;
  }
}

static void draw(int patients, uint64_t replicate) {
  for (int i = 0; i < patients; i++) philox((uint32_t)i, replicate, 12345);
}

static inline double minus_log(double x) {
  int64_t bits;
  memcpy(&bits, &x, 8);
  int64_t k = (bits - INT64_C(0x3FE6A09E667F3BCD)) >> 52; /* the root of 1/2 */
  bits -= k * (INT64_C(1) << 52);
  double m, s, z, p = 0.07308294012106745;
  memcpy(&m, &bits, 8);
  s = (m - 1) / (m + 1), z = s * s;
  p = p * z + 0.07665855179219852, p = p * z + 0.09091444732650857, p = p * z + 0.11111105565049145;
  p = p * z + 0.14285714313002223, p = p * z + 0.1999999999994972, p = p * z + 0.3333333333333335;
  return -(2 * s + 2 * s * z * p + k * 0.6931471805599453);
}

static void logs(int which, int patients) {
  double *x = &u[which][0][0];
  for (int i = 0; i < patients * LANES; i++) x[i] = minus_log(x[i]);
}

static void sort(int which, int n) {
  Row *row = (Row *)u[which];
  int top = 1;
  while (2 * top < n) top *= 2;
  for (int p = top; p > 0; p /= 2)
    for (int q = top, r = 0, d = p;; d = q - p, q /= 2, r = p) {
      for (int begin = r; begin < n - d; begin += 2 * p) {
        int end = begin + p < n - d ? begin + p : n - d;
        for (int i = begin; i < end; i++) {
          Row x = row[i], y = row[i + d];
          Mask less = x < y;
          row[i] = (Row)(((Mask)x & less) | ((Mask)y & ~less));
          row[i + d] = (Row)(((Mask)y & less) | ((Mask)x & ~less));
        }
      }
      if (q == p) break;
    }
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e6 + t.tv_nsec * 1e-3;
}

int main(void) {
  double kept = 0;
  for (unsigned d = 0; d < sizeof designs / sizeof *designs; d++) {
    struct Design design = designs[d];
    double best[4] = {1e9, 1e9, 1e9, 1e9};
    for (int run = 0; run < RUNS; run++) {
      double spent[4] = {0};
      for (uint64_t replicate = 0; replicate < TRIALS; replicate += LANES) {
        double start = now(), drawn, logged, sorted;
        draw(design.patients, replicate);
        drawn = now();
        for (int k = 0; k < design.logs; k++) logs(k, design.patients);
        logged = now();
        for (int k = 0; k < design.sorts; k++) sort(k, design.patients);
        sorted = now();
        spent[0] += drawn - start, spent[1] += logged - drawn, spent[2] += sorted - logged;
        spent[3] += sorted - start;
        for (int l = 0; l < LANES; l++) kept += u[0][design.patients / 2][l];
      }
      if (spent[3] < best[3]) memcpy(best, spent, sizeof best);
    }
    printf("%s %.4f %.4f %.4f %.4f\n", design.name, best[0] / TRIALS, best[1] / TRIALS, best[2] / TRIALS, best[3] / TRIALS);
  }
  return kept == 0;
}
