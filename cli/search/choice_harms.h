#pragma once

#include <vector>

#include "cli/search/search_run.h"
#include "search/study.h"

namespace xgen::cli {

/// How much each choice of a search's compression raises the loss when nothing else is pruned, by
/// parameter and choice of the space; empty for other parameters. Proposals follow from it, so the
/// study holds it: it is measured once for all workers. What is measured is kept until then in the
/// folder sensitivity of the search.
/// @throws UserError for data that cannot be read, and for what the study holds but no search
/// wrote; Interrupted, what was measured until then is kept.
std::vector<std::vector<double>> choice_harms(const LoadedSearch& search,
                                              search::StudyStore& study);

}  // namespace xgen::cli
