#include "cli/search/choice_harms.h"

#include "cli/run/sensitivity.h"
#include "cli/search/search_data.h"
#include "core/error.h"
#include "core/file_lock.h"
#include "core/interrupt.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/one_image.h"
#include "core/ir/rewrite/rebatch.h"
#include "core/log.h"
#include "search/torch_device.h"
#include "train/cpu.h"

namespace xgen::cli {

namespace {

// The dense network for batches of any size.
ir::Graph trained_network(const LoadedSearch& search, const search::Point& dense) {
  ir::RebatchResult batched = ir::rebatch(network_of(search, dense));
  if (!batched.graph)
    throw UserError(
        str(search.file.string(),
            ": /space: the network cannot be looked at: its batch is fixed: ", batched.reason));
  return ir::infer_shapes(std::move(*batched.graph));
}

using Harms = std::vector<std::vector<double>>;

// What is not in the scan's file yet is measured.
Harms measured(const LoadedSearch& search) {
  const search::Candidates& candidates = *search.candidates;
  const search::Compression& compression = *candidates.compression();
  const std::vector<search::Parameter>& parameters = candidates.space().parameters;
  const search::Point dense(parameters.size(), 0);
  const std::filesystem::path folder = search.output / "sensitivity";
  std::filesystem::create_directories(folder);
  const FileLock lock(folder / "lock");
  const SearchData data(search, dense);
  train::set_up_cpu(data.config().threads);
  const ir::Graph network = trained_network(search, dense), image = ir::for_one_image(network);
  SensitivityScan scan({data.config(), data.splits,
                        search::device_of(data.config().device, "the sensitivity scan's")},
                       network, folder / "scan.json");
  const std::size_t architecture = candidates.architecture_of(dense).size();
  Harms harms(parameters.size());
  log::Progress progress("sensitivity", static_cast<std::int64_t>(parameters.size()), "parameters");
  for (std::size_t p = architecture; p < parameters.size(); ++p) {
    if (!compression.prunes(p - architecture)) continue;
    for (std::size_t choice = 0; choice < parameters[p].choices.size(); ++choice) {
      double& harm = harms[p].emplace_back();
      for (const prune::PlannedLayer& layer :
           compression.planned_alone(image, p - architecture, static_cast<int>(choice)))
        harm += scan.harm(layer, parameters[p].choices[choice]);
    }
    progress.update(static_cast<std::int64_t>(p + 1));
  }
  return harms;
}

// As the study holds them.
Harms read(const LoadedSearch& search, const std::string& text) {
  const auto fits = [&](const Harms& harms) {
    const std::vector<search::Parameter>& parameters = search.candidates->space().parameters;
    bool fits = harms.size() == parameters.size();
    for (std::size_t p = 0; fits && p < harms.size(); ++p)
      fits = harms[p].empty() || harms[p].size() == parameters[p].choices.size();
    return fits;
  };
  try {
    Harms harms = nlohmann::json::parse(text);
    if (fits(harms)) return harms;
  } catch (const nlohmann::json::exception&) {
  }
  throw UserError(str(search.place(), ": expected the harm of each choice, got ", text));
}

}  // namespace

std::vector<std::vector<double>> choice_harms(const LoadedSearch& search,
                                              search::StudyStore& study) {
  constexpr const char* kName = "harms";
  const search::StudyInputs known = study.inputs();
  if (const auto harms = known.find(kName); harms != known.end())
    return read(search, harms->second);
  try {
    return read(search, study.keep_input(kName, nlohmann::json(measured(search)).dump()));
  } catch (const Interrupted&) {
    throw Interrupted(
        "the search was stopped while sensitivities were looked for; it goes on when called again");
  }
}

}  // namespace xgen::cli
