#include "cli/search/transfer.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>

#include "core/atomic_file.h"
#include "core/error.h"
#include "search/sql_study.h"
#include "search/study_lines.h"

namespace xgen::cli {

void export_study(const LoadedSearch& search, const std::string& file) {
  const auto study = study_of(search);
  const std::string text =
      search::study_lines(study->settings(), {study->trials(), study->inputs()});
  if (file.empty())
    std::cout << text << std::flush;
  else
    write_atomically(file, text);
}

std::string import_study(const LoadedSearch& search, const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw UserError(str(file, ": expected an exported study, found no file to read"));
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const search::StudySettings settings = settings_of(search);
  const search::StudyContents contents =
      search::read_study_lines(text, file, settings, search.candidates->space());
  search::create_study(search.place(), settings)->import_contents(contents);
  const std::vector<search::StudyTrial>& trials = contents.trials;
  const auto failed = std::count_if(trials.begin(), trials.end(), [](const auto& t) {
    return t.state == search::TrialState::failed;
  });
  return str(search.place(), ": ", trials.size(), " trials imported, ", failed, " of them failed");
}

}  // namespace xgen::cli
