#include "codegen/latency/device_times.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/config_file.h"
#include "core/error.h"

namespace xgen::latency {

namespace {

using nlohmann::json;

constexpr const char* kFormat = "xgen bench 3";
constexpr double kLongestMs = 60000;  // no kernel call of a network takes a minute

Platform platform_of(const json& bench, const std::string& file) {
  const auto text = [&](const char* key) {
    const json value = bench.value(key, json());
    if (!value.is_string() || value == "")
      throw UserError(str(file, ": /", key, ": expected a name, got ", value.dump()));
    return value.get<std::string>();
  };
  const std::string kernels = text("kernels");
  check_isa(kernels, str(file, ": /kernels"));
  return {text("target"), kernels, text("cpu"), text("compiler")};
}

Sample sample_of(const json& row, const std::string& where) {
  if (!row.is_object()) throw UserError(str(where, ": expected a step, got ", row.dump()));
  const json kernel = row.value("kernel", json());
  if (!kernel.is_string() || !is_counted(kernel))
    throw UserError(str(where, "/kernel: expected a kernel of this version, got ", kernel.dump()));
  Work work = read_work(kernel, row.value("work", json()), where + "/work");
  const json median = row.value("median_ms", json()), least = row.value("min_ms", json());
  if (!median.is_number() || median <= 0 || median > kLongestMs)
    throw UserError(str(where, "/median_ms: expected milliseconds above 0 and at most ", kLongestMs,
                        ", got ", median.dump()));
  if (!least.is_number() || least < 0 || least > median)
    throw UserError(str(where, "/min_ms: expected milliseconds from 0 to the median's ",
                        median.dump(), ", got ", least.dump()));
  return {std::move(work), 1e3 * median.get<double>()};
}

}  // namespace

LatencyTable table_of_device(const std::vector<std::filesystem::path>& files) {
  XGEN_CHECK(!files.empty(), "no files");
  Platform platform;
  std::vector<Sample> samples;
  for (const std::filesystem::path& path : files) {
    const json bench = load_config_json(path);
    const std::string file = path.string();
    if (!bench.is_object() || bench.value("format", json()) != kFormat)
      throw UserError(str(file,
                          ": expected what the bench program of a bundle prints "
                          "(\"format\": \"",
                          kFormat, "\")"));
    const Platform here = platform_of(bench, file);
    if (samples.empty())
      platform = here;
    else if (here != platform)
      throw UserError(str(file, ": was measured on ", here.cpu, ", ", here.kernels, ", ",
                          here.compiler, ", the files before on ", platform.cpu, ", ",
                          platform.kernels, ", ", platform.compiler, "; make a table of each"));
    const json steps = bench.value("steps", json());
    if (!steps.is_array() || steps.empty())
      throw UserError(str(file, ": /steps: expected the times of kernels, got ", steps.dump()));
    for (std::size_t i = 0; i < steps.size(); ++i)
      samples.push_back(sample_of(steps[i], str(file, ": /steps/", i)));
  }
  return {platform, std::move(samples)};
}

}  // namespace xgen::latency
