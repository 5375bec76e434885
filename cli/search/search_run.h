#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "codegen/latency/table.h"
#include "core/ir/graph.h"
#include "core/target.h"
#include "search/config.h"
#include "search/study.h"

namespace xgen::cli {

/// A search's config, where it stands, and the folder that it fills.
struct LoadedSearch {
  search::SearchConfig config;
  std::shared_ptr<const search::Candidates> candidates;
  nlohmann::json run;            ///< config of the run that tries candidates; null without one.
  std::filesystem::path file;    ///< as it was given.
  std::filesystem::path output;  ///< runs/NAME by default.

  std::filesystem::path beside(const std::string& relative) const;  ///< relative to the config.
  std::string place() const;                                        ///< of the study.
};
/// @throws UserError naming file and place, also of the run's config.
LoadedSearch load_search(const std::string& file, const std::string& output);

/// The table that serves the search's target.
latency::LatencyTable table_of(const LoadedSearch& search);

/// What a candidate changes in the data of the run's config: the size of images, where that is
/// searched.
std::vector<std::string> data_overrides_of(const LoadedSearch& search, const search::Point& point);
/// What a step of a trial changes in the run's config, as --set takes it.
/// @throws UserError naming the run's config, and the step where that asks for what there is not.
std::vector<std::string> overrides_of(const LoadedSearch& search, const search::Point& point,
                                      std::size_t step);

/// The network that the run of a trial starts from: a point's, with weights by the search's seed.
ir::Graph network_of(const LoadedSearch& search, const search::Point& point);
/// All that the run of a trial changes in the run's config: overrides_of(), model and name.
/// @param model  ONNX file of network_of(), as the run's config is to say it.
std::vector<std::string> overrides_of_run(const LoadedSearch& search,
                                          const search::StudyTrial& trial, std::size_t step,
                                          const std::filesystem::path& model);

/// The candidates, with what is known of each before it is trained.
search::Problem problem_of(const LoadedSearch& search, const latency::LatencyTable& table);

search::StudySettings settings_of(const LoadedSearch& search);
/// The study of a search that has begun. @throws UserError where there is none.
std::unique_ptr<search::StudyStore> study_of(const LoadedSearch& search);

/// Works on a study until all of its trials have ended: claims trials, runs each in a process of
/// its own in the folder trials/NUMBER, and stores what it found. Several processes may do so at
/// once; one that is killed leaves a trial which the next one goes on with.
/// @throws RequirementsError where no candidate is found that could keep what is required, with the
/// nearest one; Interrupted after the trial under way was given back.
void work_on_study(const LoadedSearch& search);

}  // namespace xgen::cli
