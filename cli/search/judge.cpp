#include "cli/search/judge.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/file_lock.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "search/proxies.h"

namespace xgen::cli {

namespace {

// Enough for naswot to tell networks apart (arXiv:2006.04647 takes 128).
constexpr std::int64_t kBatch = 128;

}  // namespace

void Judge::prepare(std::size_t step) {
  if (!run_) load();
  if (search_.config.steps[step].supernet) supernet(step);
}

void Judge::load() {
  run_ = load_config(search_.beside(search_.config.run), {});
  const RunConfig& config = run_->config;
  data_ = train::load_data(config.data, run_->folder, config.seed);
  const train::Dataset& images = data_.train;
  const std::vector<std::int64_t> positions = train::stratified_positions(
      images, std::min(kBatch, images.size()), Random(search_.config.seed).stream("proxy"));
  batch_ = train::BatchMaker(images, config.data.normalize, {}).plain(positions);
}

const search::Supernet& Judge::supernet(std::size_t step) {
  std::unique_ptr<search::Supernet>& supernet = supernets_[step];
  if (supernet) return *supernet;
  const RunConfig& config = run_->config;
  const search::StepConfig& of = search_.config.steps[step];
  const std::filesystem::path folder = search_.output / "supernets" / of.name;
  std::filesystem::create_directories(folder);
  const FileLock lock(folder / "lock");
  auto made = std::make_unique<search::Supernet>(std::get<search::MacroSpace>(search_.config.space),
                                                 search_.config.seed, config.device);
  search::SupernetTraining how;
  how.training = of.supernet->training.value_or(config.training);
  how.epochs = of.supernet->epochs;
  how.random_paths = of.supernet->random_paths;
  how.distill = of.supernet->distill;
  how.threads = config.threads;
  how.normalize = config.data.normalize;
  how.augment = config.data.augment;
  how.folder = folder;
  how.resume = true;
  how.stop_requested = interrupt_requested;
  log::info(str("supernet \"", of.name, "\""));
  made->train(data_.train, how);
  supernet = std::move(made);
  return *supernet;
}

double Judge::error(std::size_t step, const search::Point& point) {
  prepare(step);
  const search::StepConfig& of = search_.config.steps[step];
  if (of.proxy) {
    const ir::Graph network = search_.candidates->network(point, Random(search_.config.seed));
    const double score = search::score(search::find_proxy(*of.proxy, of.name), network, *batch_,
                                       run_->config.threads);
    if (!std::isfinite(score))
      throw UserError(str(*of.proxy, " cannot tell this network apart: its score is ", score));
    return -score;
  }
  const search::Supernet& all = supernet(step);
  const train::Dataset& held_back = data_.validation.size() > 0 ? data_.validation : data_.train;
  const std::int64_t samples = std::min(of.supernet->samples, held_back.size());
  const train::Dataset judged = held_back.subset(train::stratified_positions(
      held_back, samples, Random(search_.config.seed).stream("judged")));
  const search::Calibration calibration{data_.train, run_->config.data.normalize};
  return 100 * (1 - all.accuracy(search_.candidates->architecture_of(point), calibration, judged));
}

}  // namespace xgen::cli
