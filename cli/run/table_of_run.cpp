#include "cli/run/table_of_run.h"

#include "codegen/latency/quick_build.h"
#include "codegen/targets.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/log.h"

namespace xgen::cli {

namespace {

namespace fs = std::filesystem;
using latency::LatencyTable;

bool same(const LatencyTable& a, const LatencyTable& b) {
  return a.platform() == b.platform() && a.fits() == b.fits();
}

LatencyTable kept_table(const TableSources& sources,
                        const std::function<void(const std::string&)>& note) {
  LatencyTable kept = LatencyTable::load(sources.kept);
  if (!sources.given.empty() && fs::exists(sources.given) &&
      !same(kept, LatencyTable::load(sources.given)))
    note(str(sources.given.string(), ": is another table than the run began with; it goes on with ",
             sources.kept.string()));
  return kept;
}

// For this machine, where no table serves.
LatencyTable built_table(const TableSources& sources, const latency::Platform& here,
                         const std::function<void(const std::string&)>& note) {
  if (sources.build_minutes <= 0) {
    note(latency::text_of_no_table(here));
    return {here, {}};
  }
  log::info(
      str("no latency table of ", here.cpu, " with ", here.kernels, ": measuring one for ",
          log::duration_text(60 * sources.build_minutes),
          ", once for all runs on this machine (\"latency_build_minutes\": 0 leaves it out)"));
  try {
    const latency::FoundTable built = latency::quick_build(sources.target, sources.build_minutes);
    latency::say(built);
    return built.table;
  } catch (const Interrupted&) {
    throw Interrupted(
        "stopped while kernels were measured for a latency table; what was measured is kept; go on "
        "with --resume");
  } catch (const UserError& error) {  // such as a home where nothing can be written
    note(str("no latency table can be built: ", error.what(), "; the static estimate serves"));
    return {here, {}};
  }
}

}  // namespace

LatencyTable table_of_run(const TableSources& sources,
                          const std::function<void(const std::string&)>& note) {
  if (fs::exists(sources.kept)) return kept_table(sources, note);
  if (!sources.given.empty()) {
    LatencyTable table = latency::load_table(sources.given, sources.target);
    latency::say({table, sources.given.string()});
    return table;
  }
  const Target& target = sources.target;
  if (!runs_here(target)) return {{target.name, target.kernels.back(), "", ""}, {}};
  const latency::Platform here = latency::host_platform(target);
  const auto found = latency::find_table(here);
  if (!found) return built_table(sources, here, note);
  latency::say(*found);
  return found->table;
}

}  // namespace xgen::cli
