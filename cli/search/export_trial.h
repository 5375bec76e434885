#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "cli/search/search_run.h"

namespace xgen::cli {

/// Writes a trial as a run of its own: FOLDER/candidate.onnx, the candidate with the weights that
/// its trial started from, and FOLDER/run.json, the search's run config with that model and with
/// what the last step and the candidate ask for. Relative paths in it name the same files as
/// before, seen from FOLDER. Whether the trial finished, and at which step, does not matter: its
/// own run is not looked at.
///
/// @param number  of the trial.
/// @param folder  "": exported/NUMBER in the folder of the search.
/// @return        the path of run.json.
/// @throws UserError where the study, the trial or the run config is not there; where FOLDER holds
/// another run.json, which is left as it is; as overrides_of() does.
std::filesystem::path export_trial(const LoadedSearch& search, std::int64_t number,
                                   const std::string& folder);

}  // namespace xgen::cli
