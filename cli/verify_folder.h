#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

/// ONNX' backend tests against generated kernels.
namespace xgen::cli {

struct FolderResult {
  std::string name;
  std::string status;  ///< passed, wrong, refused, crashed.
  std::string reason;
};

/// Compiles model.onnx of one folder, runs it on every test_data_set_*, and compares: integers
/// exactly, floats within 1e-5 + 1e-3 * |expected|, where NaN equals NaN.
///
/// @param kernels  instruction set; empty: the best of this machine.
/// @return         passed, wrong with the first difference, or refused with the UserError.
FolderResult verify_folder(const std::filesystem::path& folder, const std::string& kernels);

/// The same for many folders, `jobs` at a time, each in a process of its own: one that dies, takes
/// over 5 minutes or breaks an invariant is crashed.
///
/// @param progress  called with the number of folders that are done.
std::vector<FolderResult> verify_folders(const std::vector<std::filesystem::path>& folders,
                                         const std::string& kernels, int jobs,
                                         const std::function<void(std::size_t)>& progress);

}  // namespace xgen::cli
