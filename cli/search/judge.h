#pragma once

#include <map>
#include <memory>
#include <optional>

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
  void prepare(std::size_t step);
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

  const SearchData& data();
  const search::Supernet& supernet(std::size_t step);
  void train_blocks(std::size_t step, Blocks& blocks, const std::filesystem::path& folder);

  const LoadedSearch& search_;
  std::optional<SearchData> data_;
  std::optional<train::Batch> batch_;
  std::map<std::size_t, std::unique_ptr<search::Supernet>> supernets_;
  std::map<std::size_t, Blocks> blocks_;
};

}  // namespace xgen::cli
