#pragma once

#include <vector>

#include "cli/search/search_run.h"

namespace xgen::cli {

/// How much each choice of a search's compression raises the loss when nothing else is pruned, by
/// parameter and choice of the space; empty for other parameters. What was measured is kept in the
/// folder sensitivity of the search, for all workers there; one of them measures at a time.
/// @throws UserError for data that cannot be read; Interrupted, what was measured until then is
/// kept.
std::vector<std::vector<double>> choice_harms(const LoadedSearch& search);

}  // namespace xgen::cli
