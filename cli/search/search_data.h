#pragma once

#include "cli/config.h"
#include "cli/search/search_run.h"
#include "train/data/load.h"

namespace xgen::cli {

/// The data that a search's runs train with, for what is trained or judged outside of runs.
struct SearchData {
  LoadedConfig run;
  train::DataSplits splits;

  /// Reads them as the run of a candidate does. @throws UserError as that.
  SearchData(const LoadedSearch& search, const search::Point& point)
      : run(load_config(search.beside(search.config.run), data_overrides_of(search, point))),
        splits(train::load_data(run.config.data, run.folder, run.config.seed)) {}

  const RunConfig& config() const { return run.config; }
  /// What candidates are judged on.
  const train::Dataset& validation() const {
    return splits.validation.size() > 0 ? splits.validation : splits.train;
  }
};

}  // namespace xgen::cli
