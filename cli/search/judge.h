#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/search/search_data.h"
#include "search/block_training.h"
#include "search/supernet.h"
#include "train/data/batch.h"

namespace xgen::cli {

/// What is trained once for many candidates, and what judges one without training it.
class Judge {
 public:
  explicit Judge(const LoadedSearch& search) : search_(search) {}

  /// Loads data, and trains the step's supernet unless another worker or an earlier call has: in
  /// the folder supernets/NAME of the search, one process at a time.
  /// @throws UserError where that cannot be done; Interrupted after the supernet was saved.
  void prepare(std::size_t step, const search::Point& point);
  /// The network of a candidate made of pruned blocks, which are trained where no worker has: in
  /// the folder blocks/NAME of the search, one process at a time. @throws as prepare().
  ir::Graph assembled(std::size_t step, const search::Point& point);
  /// What takes the place of the error, in percent: less is better. @throws UserError where a proxy
  /// cannot tell.
  double error(std::size_t step, const search::Point& point);

 private:
  // Blocks of a step, and how many trainings of them are known.
  struct Blocks {
    std::unique_ptr<search::BlockLibrary> library;
    int known = 0;
  };

  // Data of candidates, which may differ in the size of images.
  struct Data {
    SearchData read;
    std::optional<train::Batch> batch;  // that proxies look at
  };

  Data& data(const search::Point& point);
  const search::Supernet& supernet(std::size_t step, const search::Point& point);
  // The training that a folder holds, or goes on with it.
  void train_blocks(std::size_t step, Blocks& blocks, const std::filesystem::path& folder);

  const LoadedSearch& search_;
  std::map<std::vector<std::string>, Data> data_;  // by what they change in the run's config
  std::map<std::size_t, std::unique_ptr<search::Supernet>> supernets_;
  std::map<std::size_t, Blocks> blocks_;
};

}  // namespace xgen::cli
