#include "codegen/latency/build_table.h"

#include <chrono>
#include <memory>

#include "codegen/compile.h"
#include "codegen/latency/sample_graph.h"
#include "codegen/latency/single_layer.h"
#include "codegen/latency/timed_model.h"
#include "codegen/latency/timing.h"
#include "codegen/lower/lower.h"
#include "codegen/targets.h"
#include "core/error.h"

namespace xgen::latency {

namespace {

constexpr int kBatch = 16;

/// Networks of one batch, loaded, with the work of each of their kernels.
struct Measured {
  std::unique_ptr<TimedModel> model;
  std::vector<Work> works;
};

Measured load(const ir::Graph& graph, const Target& target, const Machine& machine) {
  const Program program = lower::lower(graph, lowering_for(target));
  Measured measured;
  for (const Step& step : program.steps) measured.works.push_back(work_of(program, step, machine));
  measured.model = std::make_unique<TimedModel>(HostModel::build(program, {machine.isa.name}));
  return measured;
}

ir::Graph reference_graph() { return single_layer(square_layer(64, 64, 3, 28, false), {}); }

SampleKind kind_of(RandomStream& random) {
  const double u = random.uniform();
  return u < 0.42   ? SampleKind::conv_i8
         : u < 0.84 ? SampleKind::conv_f32
         : u < 0.92 ? SampleKind::other_f32
                    : SampleKind::other_i8;
}

/// All kernels of a batch in turn; the first function is the reference.
std::vector<Sample> measure(std::vector<Measured>& batch, const std::function<void()>& reference,
                            double& reference_us) {
  std::vector<std::function<void()>> functions{reference};
  for (Measured& m : batch) {
    for (std::size_t step = 0; step < m.works.size(); ++step)
      functions.emplace_back([&m, step] { m.model->run_step(static_cast<int>(step)); });
  }
  const std::vector<Timing> timings = time_interleaved(functions, 7, 41, 0.015);
  if (reference_us == 0) reference_us = timings[0].median_us;
  const double speed = reference_us / timings[0].median_us;
  std::vector<Sample> samples;
  std::size_t at = 1;
  for (const Measured& m : batch) {
    for (const Work& work : m.works) samples.push_back({work, timings[at++].median_us * speed});
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
  Measured reference = load(reference_graph(), target, machine);
  const int step = 1;  // after the input is packed
  const auto start = std::chrono::steady_clock::now();
  const auto minutes = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 60;
  };
  do {
    RandomStream random = Random(options.seed).stream("latency", batches);
    std::vector<Measured> batch;
    for (int i = 0; i < kBatch; ++i)
      batch.push_back(load(sample_graph(kind_of(random), random), target, machine));
    for (Sample& s : measure(
             batch, [&] { reference.model->run_step(step); }, reference_us))
      samples.push_back(std::move(s));
    ++batches;
    LatencyTable(platform, samples, batches, reference_us).save(options.file);
    if (options.progress) options.progress(minutes(), samples.size());
  } while (minutes() < options.minutes && !(options.stop_requested && options.stop_requested()));
  return {platform, std::move(samples), batches, reference_us};
}

}  // namespace xgen::latency
