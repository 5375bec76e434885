#include "codegen/latency/build_table.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>

#include "codegen/compile.h"
#include "codegen/latency/sample_graph.h"
#include "codegen/latency/speed_reference.h"
#include "codegen/latency/timed_model.h"
#include "codegen/latency/timing.h"
#include "codegen/lower/lower.h"
#include "codegen/targets.h"
#include "core/error.h"

namespace xgen::latency {

namespace {

constexpr int kBatch = 16;
// Of the samples whose edges are measured too: a network has few.
constexpr double kEdges = 0.2;
// A batch is measured again, so often at most, while the machine is disturbed.
constexpr int kAttempts = 8;
// A kill loses at most so much.
constexpr double kMinutesUnsaved = 0.25;

/// Networks of one batch, loaded, with the work of each of their kernels.
struct Measured {
  std::unique_ptr<TimedModel> model;
  std::vector<int> steps;  ///< that are measured.
  std::vector<Work> works;
};

/// Conversions of inputs and outputs, of which every network has a few and every sample as many.
bool is_edge(const Step& step) {
  return step.kernel.starts_with("pack") || step.kernel.starts_with("unpack") ||
         step.kernel.starts_with("transfer");
}

Measured load(const ir::Graph& graph, bool edges, const Target& target, const Machine& machine) {
  const Program program = lower::lower(graph, lowering_for(target));
  Measured measured;
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    if (!edges && is_edge(program.steps[i])) continue;
    measured.steps.push_back(static_cast<int>(i));
    measured.works.push_back(work_of(program, program.steps[i], machine));
  }
  measured.model = std::make_unique<TimedModel>(HostModel::build(program, {machine.isa.name}));
  return measured;
}

SampleKind kind_of(RandomStream& random) {
  const double u = random.uniform();
  return u < 0.38   ? SampleKind::conv_i8
         : u < 0.76 ? SampleKind::conv_f32
         : u < 0.88 ? SampleKind::other_f32
                    : SampleKind::other_i8;
}

/// All kernels of a batch in turn with the reference, again where the machine was disturbed.
/// @param reference_us  of the reference when nothing disturbs it: times are brought to its speed.
std::vector<Sample> measure(std::vector<Measured>& batch, SpeedReference& reference,
                            double reference_us) {
  std::vector<std::function<void()>> functions{std::ref(reference)};
  for (Measured& m : batch) {
    for (const int step : m.steps) functions.emplace_back([&m, step] { m.model->run_step(step); });
  }
  std::vector<Timing> timings;
  double speed = std::numeric_limits<double>::infinity();
  for (int attempt = 0; attempt < kAttempts && std::abs(speed - 1) > kSteady; ++attempt) {
    std::vector<Timing> tried = time_interleaved(functions, 31, 121, 0.01);
    const double of_try = reference_us / tried[0].quartile_us;
    if (std::abs(of_try - 1) >= std::abs(speed - 1)) continue;
    speed = of_try;
    timings = std::move(tried);
  }
  std::vector<Sample> samples;
  std::size_t at = 1;
  for (const Measured& m : batch) {
    for (const Work& work : m.works) samples.push_back({work, timings[at++].quartile_us * speed});
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
  const Machine machine = machine_of(target, platform.kernels);
  std::vector<Sample> samples;
  std::int64_t batches = 0;
  double reference_us = 0;
  if (std::filesystem::exists(options.file)) {
    const LatencyTable known = LatencyTable::load(options.file);
    if (known.platform() != platform)
      throw UserError(str(options.file.string(), ": holds a table of ", known.platform().cpu, ", ",
                          known.platform().kernels, ", ", known.platform().compiler, "; this is ",
                          platform.cpu, ", ", platform.kernels, ", ", platform.compiler,
                          "; give another file"));
    samples = known.samples();
    batches = known.batches();
    reference_us = known.reference_us();
  }
  SpeedReference reference(target, machine.isa.name);
  if (reference_us == 0) reference_us = reference.undisturbed_us();
  const auto start = std::chrono::steady_clock::now();
  const auto minutes = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 60;
  };
  double saved = 0;
  const auto table = [&] { return LatencyTable(platform, samples, batches, reference_us); };
  do {
    RandomStream random = Random(options.seed).stream("latency", batches);
    std::vector<Measured> batch;
    for (int i = 0; i < kBatch; ++i)
      batch.push_back(
          load(sample_graph(kind_of(random), random), random.chance(kEdges), target, machine));
    for (Sample& s : measure(batch, reference, reference_us)) samples.push_back(std::move(s));
    ++batches;
    if (minutes() - saved > kMinutesUnsaved) {
      table().save(options.file);
      saved = minutes();
    }
    if (options.progress) options.progress(minutes(), samples.size());
  } while (minutes() < options.minutes && !(options.stop_requested && options.stop_requested()));
  LatencyTable built = table();
  built.save(options.file);
  return built;
}

}  // namespace xgen::latency
