#pragma once

#include <map>
#include <memory>
#include <optional>

#include "cli/config.h"
#include "cli/search/search_run.h"
#include "search/supernet.h"
#include "train/data/batch.h"
#include "train/data/load.h"

namespace xgen::cli {

/// Judges candidates without training each: the steps of a search that are no runs.
class Judge {
 public:
  explicit Judge(const LoadedSearch& search) : search_(search) {}

  /// Loads data, and trains the step's supernet unless another worker or an earlier call has: in
  /// the folder supernets/NAME of the search, one process at a time.
  /// @throws UserError where that cannot be done; Interrupted after the supernet was saved.
  void prepare(std::size_t step);
  /// What takes the place of the error, in percent: less is better. @throws UserError where a proxy
  /// cannot tell.
  double error(std::size_t step, const search::Point& point);

 private:
  void load();
  const search::Supernet& supernet(std::size_t step);

  const LoadedSearch& search_;
  std::optional<LoadedConfig> run_;
  train::DataSplits data_;
  std::optional<train::Batch> batch_;
  std::map<std::size_t, std::unique_ptr<search::Supernet>> supernets_;
};

}  // namespace xgen::cli
