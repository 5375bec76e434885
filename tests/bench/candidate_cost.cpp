// What it takes to cost a candidate before it is trained: to build its network, compress it,
// compile it without weights and predict its time, on one thread. A proposal of the Bayesian
// sampler asks it of up to 1,000 candidates.
//
//   candidate_cost TABLE [CANDIDATES [SPACE]]
//       by a latency table, 200 random candidates of each space, or of the space of this number
//
// The sum over the first 50 candidates of each space says whether a change of code changed what
// candidates cost.

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "codegen/latency/table.h"
#include "codegen/targets.h"
#include "search/candidates.h"

namespace {

using namespace xgen;
using namespace xgen::search;

constexpr std::size_t kSummed = 50;

struct Case {
  std::string name;
  Candidates candidates;
};

CompressionConfig compression(const std::string& per, std::vector<int> bits) {
  CompressionConfig c;
  c.per = per;
  c.schemes = {"pattern", "block"};
  c.rates = {1, 2.25, 4, 9};
  c.bits = std::move(bits);
  return c;
}

std::vector<Case> cases() {
  const prune::PruneConfig base;
  ModelSpace resnet20;
  resnet20.zoo = "resnet20";
  resnet20.resolve({});
  return {{"NAS-Bench-Macro", {nas_bench_macro(), std::nullopt, base, {}, "bench:"}},
          {"NAS-Bench-Macro, one rate, 8 bits",
           {nas_bench_macro(), compression("network", {8}), base, {}, "bench:"}},
          {"resnet20, rates and bits per layer",
           {resnet20, compression("layer", {32, 8}), base, {}, "bench:"}}};
}

// FNV-1a, 64 bits at a time.
void add(std::uint64_t& sum, std::uint64_t bits) { sum = (sum ^ bits) * 0x100000001b3ULL; }

void add(std::uint64_t& sum, const CandidateCost& cost) {
  for (const double us : {cost.latency.us, cost.latency.low_us, cost.latency.high_us})
    add(sum, std::bit_cast<std::uint64_t>(us));
  for (const std::int64_t n : {cost.macs, cost.parameters, cost.size_bytes, cost.peak_bytes})
    add(sum, static_cast<std::uint64_t>(n));
}

void measure(const Case& c, const Target& target, const latency::LatencyTable& table,
             std::size_t count) {
  RandomStream random = Random(1).stream("candidates");
  std::vector<double> ms;
  std::uint64_t sum = 0xcbf29ce484222325ULL;
  for (std::size_t i = 0; i < count; ++i) {
    const Point point = c.candidates.space().sample(random);
    const auto start = std::chrono::steady_clock::now();
    const CandidateCost cost = c.candidates.cost(point, target, table);
    const std::chrono::duration<double, std::milli> spent =
        std::chrono::steady_clock::now() - start;
    ms.push_back(spent.count());
    if (i < kSummed) add(sum, cost);
  }
  std::sort(ms.begin(), ms.end());
  const auto quantile = [&](double q) {
    return ms[static_cast<std::size_t>(q * static_cast<double>(ms.size() - 1))];
  };
  std::printf("%-36s %9.2f %8.2f %8.2f %8.2f   %016llx\n", c.name.c_str(), quantile(0.5),
              quantile(0.05), quantile(0.95), ms.back(), static_cast<unsigned long long>(sum));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4) {
    std::fprintf(stderr, "usage: candidate_cost TABLE [CANDIDATES [SPACE]]\n");
    return 2;
  }
  try {
    const latency::LatencyTable table = latency::LatencyTable::load(argv[1]);
    const Target target = find_target(table.platform().target);
    const long count = argc > 2 ? std::max(1L, std::atol(argv[2])) : 200L;
    const std::string title = std::to_string(count) + " candidates each";
    std::printf("%-36s %9s %8s %8s %8s   sum of the first %zu\n", title.c_str(), "median ms", "5 %",
                "95 %", "most", std::min(kSummed, static_cast<std::size_t>(count)));
    const std::vector<Case> all = cases();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (argc < 4 || std::to_string(i + 1) == argv[3])
        measure(all[i], target, table, static_cast<std::size_t>(count));
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "candidate_cost: %s\n", error.what());
    return 2;
  }
  return 0;
}
