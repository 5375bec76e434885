#include "cli/run/deploy.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "train/data/batch.h"

namespace xgen::cli {

train::Metrics evaluate_compiled(HostModel& model, const train::Dataset& data, const train::NormalizeConfig& normalize) {
  constexpr std::int64_t kBatch = 250;
  const train::BatchMaker maker(data, normalize, {});
  const std::int64_t per_run = model.inputs().at(0).shape.at(0);
  const std::int64_t classes = model.outputs().at(0).shape.at(1);
  std::vector<float> images(static_cast<std::size_t>(per_run * data.channels() * data.height() * data.width())), logits(static_cast<std::size_t>(per_run * classes));
  const void* in[] = {images.data()};
  void* out[] = {logits.data()};
  train::Metrics metrics;
  metrics.samples = data.size();
  log::Progress progress("compiled kernels", data.size(), "images");
  for (std::int64_t first = 0; first < data.size(); first += kBatch) {
    std::vector<std::int64_t> positions;
    for (std::int64_t i = first; i < std::min(data.size(), first + kBatch); ++i) positions.push_back(i);
    train::Batch batch = maker.plain(positions);
    const torch::Tensor all = train::images_of(batch).contiguous();
    const std::size_t image = images.size() / static_cast<std::size_t>(per_run);
    for (std::int64_t i = 0; i < batch.size(); i += per_run) {
      const std::int64_t count = std::min(per_run, batch.size() - i);
      std::copy_n(all.data_ptr<float>() + static_cast<std::size_t>(i) * image, static_cast<std::size_t>(count) * image, images.begin());
      model.run_raw(in, out);
      for (std::int64_t k = 0; k < count; ++k) {
        const float* row = logits.data() + k * classes;
        const std::int64_t label = batch.labels[static_cast<std::size_t>(i + k)];
        const std::int64_t above = std::count_if(row, row + classes, [&](float v) { return !(v < row[label]); }) - 1;
        metrics.top1 += above == 0;
        metrics.top5 += above < 5;
        double sum = 0;
        for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(row[c]) - row[label]);
        metrics.loss += std::log(sum);
      }
    }
    progress.update(std::min(data.size(), first + kBatch));
  }
  const auto n = static_cast<double>(std::max<std::int64_t>(1, data.size()));
  metrics.top1 /= n;
  metrics.top5 /= n;
  metrics.loss /= n;
  return metrics;
}

double dense_latency_ms(RunContext& run, const ir::Graph& graph, const std::string& name) {
  if (const auto known = run.latency().recall(name)) return 1e-3 * *known;
  CompileOptions options;
  options.target = run.target();
  options.use_sparsity = false;
  TimedModel model(compile(graph, options).program);
  const double us = time_interleaved({[&] { model.run(); }}).front().median_us;
  run.latency().remember({{name, us}});
  return 1e-3 * us;
}

TimedModel::TimedModel(const Program& program) : model_(HostModel::build(program)) {
  const auto bytes = [](const TensorInfo& t) { return static_cast<std::size_t>(ir::element_count(t.shape)) * ir::size_of(t.dtype); };
  for (const TensorInfo& t : model_.inputs()) inputs_.emplace_back(bytes(t));
  for (const TensorInfo& t : model_.outputs()) outputs_.emplace_back(bytes(t));
  for (auto& b : inputs_) in_.push_back(b.data());
  for (auto& b : outputs_) out_.push_back(b.data());
  run();
}

void TimedModel::run() { model_.run_raw(in_.data(), out_.data()); }
void TimedModel::run_step(int step) { model_.run_step(step, in_.data(), out_.data()); }

}  // namespace xgen::cli
