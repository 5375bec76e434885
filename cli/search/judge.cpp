#include "cli/search/judge.h"

#include <algorithm>
#include <cmath>

#include "core/atomic_file.h"
#include "core/config_file.h"
#include "core/error.h"
#include "core/file_lock.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "search/proxies.h"

namespace xgen::cli {

namespace {

// Enough for naswot to tell networks apart (arXiv:2006.04647 takes 128).
constexpr std::int64_t kBatch = 128;

// What all that a search trains for many candidates has in common: data and threads of its runs,
// and that it goes on where it was.
void train_as(const RunConfig& config, const std::filesystem::path& folder,
              search::SharedTraining& how) {
  how.threads = config.threads;
  how.normalize = config.data.normalize;
  how.augment = config.data.augment;
  how.folder = folder;
  how.resume = true;
  how.stop_requested = interrupt_requested;
}

}  // namespace

Judge::Data& Judge::data(const search::Point& point) {
  const std::vector<std::string> key = data_overrides_of(search_, point);
  const auto found = data_.find(key);
  if (found != data_.end()) return found->second;
  return data_.emplace(key, Data{SearchData(search_, point), std::nullopt}).first->second;
}

void Judge::prepare(std::size_t step, const search::Point& point) {
  data(point);
  if (search_.config.steps[step].supernet) supernet(step, point);
}

const search::Supernet& Judge::supernet(std::size_t step, const search::Point& point) {
  std::unique_ptr<search::Supernet>& supernet = supernets_[step];
  if (supernet) return *supernet;
  const SearchData& read = data(point).read;
  const RunConfig& config = read.config();
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
  train_as(config, folder, how);
  log::info(str("supernet \"", of.name, "\""));
  made->train(read.splits.train, how);
  supernet = std::move(made);
  return *supernet;
}

void Judge::train_blocks(std::size_t step, Blocks& blocks, const std::filesystem::path& folder) {
  const auto point = load_config_json(folder / "point.json").get<search::Point>();
  const SearchData& read = data(point).read;
  const RunConfig& config = read.config();
  const search::BlocksConfig& of = *search_.config.steps[step].blocks;
  search::BlockTraining how;
  how.training = of.training.value_or(config.training);
  // Else a block would depend on those that are trained beside it.
  how.training.clip_norm = 0;
  how.epochs = of.epochs;
  how.seed = search_.config.seed;
  train_as(config, folder, how);
  blocks.library->train({search_.candidates->compression_of(point)}, read.splits.train, how);
  ++blocks.known;
}

ir::Graph Judge::assembled(std::size_t step, const search::Point& point) {
  const search::StepConfig& of = search_.config.steps[step];
  const search::Candidates& candidates = *search_.candidates;
  const std::filesystem::path folder = search_.output / "blocks" / of.name;
  std::filesystem::create_directories(folder);
  const FileLock lock(folder / "lock");
  Blocks& blocks = blocks_[step];
  if (!blocks.library)
    blocks.library = std::make_unique<search::BlockLibrary>(
        candidates.network(point, Random(search_.config.seed)), *candidates.compression(),
        data(point).read.config().device);
  const auto training = [&] { return folder / std::to_string(blocks.known); };
  while (std::filesystem::exists(training() / "point.json")) train_blocks(step, blocks, training());
  const search::Point compression = candidates.compression_of(point);
  if (!blocks.library->covers(compression)) {
    log::info(str("blocks \"", of.name, "\": ", blocks.library->missing({compression}).size(),
                  " to train"));
    std::filesystem::create_directories(training());
    write_atomically(training() / "point.json", nlohmann::json(point).dump() + "\n");
    train_blocks(step, blocks, training());
  }
  return blocks.library->assembled(compression);
}

double Judge::error(std::size_t step, const search::Point& point) {
  prepare(step, point);
  const search::StepConfig& of = search_.config.steps[step];
  Data& data = this->data(point);
  const RunConfig& config = data.read.config();
  const train::Dataset& images = data.read.splits.train;
  const Random random(search_.config.seed);
  if (of.proxy) {
    if (!data.batch) {
      const std::vector<std::int64_t> positions = train::stratified_positions(
          images, std::min(kBatch, images.size()), random.stream("proxy"));
      data.batch = train::BatchMaker(images, config.data.normalize, {}).plain(positions);
    }
    const double score =
        search::score(search::find_proxy(*of.proxy, of.name),
                      search_.candidates->network(point, random), *data.batch, config.threads);
    if (!std::isfinite(score))
      throw UserError(str(*of.proxy, " cannot tell this network apart: its score is ", score));
    return -score;
  }
  const train::Dataset& held_back = data.read.validation();
  const std::int64_t samples = std::min(of.supernet->samples, held_back.size());
  const train::Dataset judged =
      held_back.subset(train::stratified_positions(held_back, samples, random.stream("judged")));
  const search::Calibration calibration{images, config.data.normalize};
  return 100 * (1 - supernet(step, point)
                        .accuracy(search_.candidates->architecture_of(point), calibration, judged));
}

}  // namespace xgen::cli
