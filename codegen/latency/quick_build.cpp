#include "codegen/latency/quick_build.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/interrupt.h"
#include "core/log.h"

namespace xgen::latency {

namespace fs = std::filesystem;

void put_aside_foreign(const fs::path& file, const Platform& platform) {
  if (!fs::exists(file)) return;
  std::string why = "it is of another platform";
  try {
    if (LatencyTable::load(file).platform() == platform) return;
  } catch (const UserError& error) {
    why = error.what();
  }
  fs::rename(file, fs::path(file) += ".old");
  log::warning(str(file.string(), ": a table that cannot be gone on with is now FILE.old: ", why));
}

LatencyTable build_with_progress(const Target& target, BuildOptions options) {
  const auto seconds = [&](double minutes) {
    return static_cast<std::int64_t>(std::lround(60 * std::min(minutes, options.minutes)));
  };
  log::Progress progress("latency build", std::max<std::int64_t>(1, seconds(options.minutes)),
                         "seconds");
  options.progress = [&](double minutes, std::size_t kernels) {
    progress.update(seconds(minutes), str(kernels, " kernels"));
  };
  options.stop_requested = [] { return interrupt_requested(); };
  LatencyTable table = build_table(target, options);
  if (interrupt_requested())
    throw Interrupted(str("stopped after ", table.samples().size(), " kernels, which are kept in ",
                          options.file.string(), "; the same command goes on"));
  return table;
}

FoundTable quick_build(const Target& target, double minutes) {
  const Platform platform = host_platform(target);
  const fs::path file = table_file(platform);
  BuildOptions options;
  options.minutes = minutes;
  options.file = file;
  options.file += ".part";
  put_aside_foreign(options.file, platform);
  LatencyTable table = build_with_progress(target, options);
  fs::rename(options.file, file);
  return {std::move(table), file.string()};
}

}  // namespace xgen::latency
