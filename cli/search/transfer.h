#pragma once

#include <string>

#include "cli/search/search_run.h"

/// Studies as lines of JSON (search/study_lines.h), from one store to another.
namespace xgen::cli {

/// @param file  is replaced as a whole; "": stdout.
/// @throws UserError where there is no study, or the file cannot be written.
void export_study(const LoadedSearch& search, const std::string& file);

/// Makes the study of a search from such a file, or fills one that has no trials: with all of them
/// or none. The runs of its trials do not come along. @return what was done, for people.
/// @throws UserError, see read_study_lines(), create_study(), StudyStore::import_contents().
std::string import_study(const LoadedSearch& search, const std::string& file);

}  // namespace xgen::cli
