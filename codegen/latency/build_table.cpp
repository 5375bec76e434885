#include "codegen/latency/build_table.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <thread>

#include "codegen/compile.h"
#include "codegen/latency/l3_turnover.h"
#include "codegen/latency/sampled_network.h"
#include "codegen/latency/speed_reference.h"
#include "codegen/latency/step_times.h"
#include "codegen/latency/timed_model.h"
#include "codegen/lower/lower.h"
#include "codegen/targets.h"
#include "core/error.h"

namespace xgen::latency {

namespace {

constexpr int kBatch = 8;  // networks
// Each batch is visited so often while the machine is as fast as ever, others being compiled and
// visited between: a neighbour that disturbs it has gone by the time of one of them. On a machine
// that is never quiet so many visits are enough.
constexpr int kQuietVisits = 8, kMostVisits = 24;
constexpr double kQuiet = 1.08;  // times the least of the reference, which varies by 6 % by itself
constexpr int kTurns = 6;        // of each network in a visit
// What takes less is not told by a clock that takes a tenth of it.
constexpr double kShortestUs = 0.2;
// A kill loses at most so much of what is finished, and the batches that are open.
constexpr double kMinutesUnsaved = 0.25;

/// A network of one batch, loaded.
struct Measured {
  Program program;
  std::unique_ptr<TimedModel> model;
  StepTurns turns;
};

Measured load(const ir::Graph& graph, const Target& target, const Machine& machine) {
  Program program = lower::lower(graph, lowering_for(target));
  auto model = std::make_unique<TimedModel>(HostModel::build(program, {machine.isa.name}));
  TimedModel& timed = *model;
  return {std::move(program), std::move(model), StepTurns(timed)};
}

struct Batch {
  std::vector<Measured> networks;
  int visits = 0, quiet_visits = 0;

  bool is_finished() const { return quiet_visits >= kQuietVisits || visits >= kMostVisits; }
};

/// Networks of a batch; compiling them takes longer than measuring them, so all cores do it.
Batch load_batch(RandomStream random, const Target& target, const Machine& machine) {
  std::vector<ir::Graph> graphs;
  for (int i = 0; i < kBatch; ++i) graphs.push_back(sampled_network(random));
  std::vector<std::optional<Measured>> loaded(graphs.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < graphs.size(); i = next++)
      loaded[i] = load(graphs[i], target, machine);
  };
  std::vector<std::future<void>> workers;
  for (unsigned w = 0; w < std::max(1U, std::thread::hardware_concurrency()); ++w)
    workers.push_back(std::async(std::launch::async, work));
  for (std::future<void>& worker : workers) worker.get();
  Batch batch;
  for (std::optional<Measured>& m : loaded) batch.networks.push_back(std::move(*m));
  return batch;
}

void visit(Batch& batch, SpeedReference& reference) {
  double least_us = reference.observe();
  for (int turn = 0; turn < kTurns; ++turn) {
    for (Measured& m : batch.networks) m.turns.take();
    least_us = std::min(least_us, reference.observe());
  }
  ++batch.visits;
  batch.quiet_visits += least_us <= kQuiet * reference.least_us() ? 1 : 0;
}

std::vector<Sample> samples_of(const Batch& batch, const Machine& machine) {
  std::vector<Sample> samples;
  for (const Measured& m : batch.networks) {
    const std::vector<double>& step_us = m.turns.least().step_us;
    const std::vector<Work> works = works_of(m.program, machine, step_us);
    for (std::size_t s = 0; s < works.size(); ++s) {
      if (step_us[s] >= kShortestUs) samples.push_back({works[s], step_us[s]});
    }
  }
  return samples;
}

}  // namespace

LatencyTable build_table(const Target& target, const BuildOptions& options) {
  if (!runs_here(target))
    throw UserError(str("target \"", target.name,
                        "\": its kernels do not run on this machine, so that nothing can be "
                        "measured here"));
  const Platform platform = host_platform(target);
  std::vector<Sample> samples;
  Measurement measurement;
  measurement.caches = host_caches(target);
  if (std::filesystem::exists(options.file)) {
    const LatencyTable known = LatencyTable::load(options.file);
    if (known.platform() != platform)
      throw UserError(str(options.file.string(), ": holds a table of ", known.platform().cpu, ", ",
                          known.platform().kernels, ", ", known.platform().compiler, "; this is ",
                          platform.cpu, ", ", platform.kernels, ", ", platform.compiler,
                          "; give another file"));
    samples = known.samples();
    measurement = known.measurement();
  } else {
    measurement.caches->l3_turnover_us = measure_l3_turnover_us(*measurement.caches);
  }
  const Machine machine = LatencyTable(platform, {}, measurement).machine(target);
  SpeedReference reference(target, machine.isa.name);
  const auto start = std::chrono::steady_clock::now();
  const auto minutes = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 60;
  };
  double saved = 0;
  const auto table = [&] {
    const double now_us = reference.least_us();
    if (std::isfinite(now_us) &&
        (measurement.reference_us == 0 || now_us < measurement.reference_us))
      measurement.reference_us = now_us;
    return LatencyTable(platform, samples, measurement);
  };
  std::deque<Batch> open;
  std::int64_t drawn = measurement.batches;
  const auto stopped = [&] { return options.stop_requested && options.stop_requested(); };
  // The last batches are visited to the end after the time is used up.
  for (bool time_left = true; (time_left || !open.empty()) && !stopped();
       time_left = minutes() < options.minutes) {
    if (time_left)
      open.push_back(load_batch(Random(options.seed).stream("latency", drawn++), target, machine));
    for (Batch& batch : open) visit(batch, reference);
    if (open.front().is_finished()) {
      for (Sample& s : samples_of(open.front(), machine)) samples.push_back(std::move(s));
      open.pop_front();
      ++measurement.batches;
    }
    if (minutes() - saved > kMinutesUnsaved) {
      table().save(options.file);
      saved = minutes();
    }
    if (options.progress) options.progress(minutes(), samples.size());
  }
  LatencyTable built = table();
  built.save(options.file);
  return built;
}

}  // namespace xgen::latency
