#pragma once

#include "cli/search/judge.h"
#include "cli/search/search_run.h"
#include "search/study.h"

namespace xgen::cli {

/// Does what a claimed trial asks for and ends it: its step's proxy or supernet judges the
/// candidate, or a run in a process of its own trains and compiles it, or goes on with that.
/// @throws UserError where no candidate could be evaluated, Interrupted; the trial was given back.
void run_trial(const LoadedSearch& search, const search::Problem& problem, Judge& judge,
               search::StudyStore& study, const search::StudyTrial& trial);

}  // namespace xgen::cli
