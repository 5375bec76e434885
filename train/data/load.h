#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "train/data/config.h"
#include "train/data/dataset.h"

namespace xgen::train {

struct DataSplits {
  Dataset train;
  Dataset validation;  ///< empty when the config keeps no share back.
  Dataset test;
  std::vector<std::string> notes;  ///< such as images that were left out.

  /// SHA-256 over all three.
  std::string hash() const;
};

/// Reads what `config` names and splits it.
///
/// @param base  the folder that relative paths are relative to.
/// @param seed  of the validation split; the split of one-piece data has its own.
/// @throws UserError for data that are missing or damaged, and where the parts of the config or the
/// two
///         sets do not fit each other.
DataSplits load_data(const DataConfig& config, const std::filesystem::path& base,
                     std::uint64_t seed);

}  // namespace xgen::train
