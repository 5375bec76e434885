#include "codegen/latency/l3_turnover.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "codegen/latency/counts.h"

namespace xgen::latency {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRounds = 16;
constexpr double kLongestUs = 25600;
// A last read that takes less than so many times the first tells nothing.
constexpr double kSlower = 1.5;

double since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

double read(const std::vector<char>& data, std::size_t bytes) {
  const Clock::time_point start = Clock::now();
  char sum = 0;
  for (std::size_t at = 0; at < bytes; at += static_cast<std::size_t>(kLine)) sum ^= data[at];
  volatile char kept = sum;
  (void)kept;
  return since(start);
}

// What has left the second level for the last one when the whole was read, and is read again later.
double reread(const std::vector<char>& data, double wait_us) {
  for (int i = 0; i < 2; ++i) read(data, data.size());
  const Clock::time_point start = Clock::now();
  while (since(start) < wait_us) {
  }
  return read(data, data.size() / 4);
}

}  // namespace

double half_life_us(const std::vector<Reread>& reads) {
  const double first = reads.front().read_us, last = reads.back().read_us;
  if (last < kSlower * first) return 0;
  const double half = (first + last) / 2;
  std::size_t i = 1;
  while (reads[i].read_us < half) ++i;
  const Reread &a = reads[i - 1], &b = reads[i];
  return a.unused_us + (b.unused_us - a.unused_us) * (half - a.read_us) / (b.read_us - a.read_us);
}

double measure_l3_turnover_us(const Caches& caches) {
  const std::int64_t bytes = std::min(4 * caches.l2_bytes, caches.l3_bytes / 8);
  if (bytes <= caches.l2_bytes) return 0;
  const std::vector<char> data(static_cast<std::size_t>(bytes), 1);
  std::vector<Reread> reads;
  for (double wait = 25; wait <= kLongestUs; wait *= 2) {
    std::vector<double> took;
    for (int round = 0; round < kRounds; ++round) took.push_back(reread(data, wait));
    // As of the kernels, what counts is what is seen in a quiet moment.
    reads.push_back({wait, *std::min_element(took.begin(), took.end())});
  }
  // Half is lost when what was touched and what others have brought is so many times what it holds.
  return half_life_us(reads) /
         (kHalfLost - static_cast<double>(bytes) / static_cast<double>(caches.l3_bytes));
}

}  // namespace xgen::latency
