#include "codegen/latency/table.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "codegen/latency/nnls.h"
#include "codegen/latency/static_estimate.h"
#include "core/atomic_file.h"
#include "core/config_file.h"
#include "core/error.h"

namespace xgen::latency {

namespace {

using nlohmann::json;

constexpr const char* kFormat = "xgen latency 4";
constexpr double kMostCounts = 1e15;  // no kernel call of a network does more of anything
constexpr std::size_t kFolds = 5;
// Of the static estimate in a fit: a count that never takes over 3 % of a call's time is hardly
// known from that call. (10 % keep so much of an estimate that is several times too low that 2 %
// fewer calls are predicted within 10 %.)
constexpr double kExpectedWeight = 0.001;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(std::ceil(q * last))];
}

using Samples = std::vector<const Sample*>;

// The static estimate, times the one factor that fits it best.
std::vector<double> expected_factors(const Samples& samples, const Machine& machine) {
  std::vector<double> factors = static_factors(samples.front()->work.kernel, machine);
  double log = 0;
  for (const Sample* s : samples)
    log += std::log(s->us / std::max(1e-9, dot(factors, s->work.counts)));
  for (double& factor : factors) factor *= std::exp(log / static_cast<double>(samples.size()));
  return factors;
}

std::vector<double> fitted_factors(const Samples& samples, const Machine& machine) {
  std::vector<std::vector<double>> rows;
  std::vector<double> targets;
  for (const Sample* s : samples) {
    rows.push_back(s->work.counts);
    targets.push_back(s->us);
  }
  return fit_non_negative(rows, targets, {expected_factors(samples, machine), kExpectedWeight});
}

// How far predictions are off that were made without the sample, relative.
std::vector<double> errors_left_out(const Samples& samples, const Machine& machine) {
  std::vector<double> errors;
  if (samples.size() < 2) return errors;
  for (std::size_t fold = 0; fold < std::min(kFolds, samples.size()); ++fold) {
    Samples others;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (i % kFolds != fold) others.push_back(samples[i]);
    }
    const std::vector<double> factors = fitted_factors(others, machine);
    for (std::size_t i = fold; i < samples.size(); i += kFolds)
      errors.push_back(std::abs(dot(factors, samples[i]->work.counts) / samples[i]->us - 1));
  }
  return errors;
}

KernelFit fit(const Samples& samples, const Machine& machine) {
  KernelFit result;
  result.factors = fitted_factors(samples, machine);
  result.samples = samples.size();
  const std::vector<double> errors = errors_left_out(samples, machine);
  result.median_error = errors.empty() ? kStaticError : quantile(errors, 0.5);
  result.p95_error = errors.empty() ? kStaticError : quantile(errors, 0.95);
  if (!errors.empty())
    result.hit_rate = static_cast<double>(std::count_if(errors.begin(), errors.end(),
                                                        [](double e) { return e <= 0.1; })) /
                      static_cast<double>(errors.size());
  result.highest.assign(result.factors.size(), 0.0);
  for (const Sample* s : samples) {
    for (std::size_t i = 0; i < result.highest.size(); ++i)
      result.highest[i] = std::max(result.highest[i], s->work.counts[i]);
  }
  return result;
}

// Samples as files hold them: in tenths of a nanosecond, counts in thousandths.
std::vector<Sample> rounded(std::vector<Sample> samples) {
  for (Sample& s : samples) {
    s.us = std::max(1.0, std::round(1e4 * s.us)) / 1e4;
    for (double& count : s.work.counts) count = std::round(1e3 * count) / 1e3;
  }
  return samples;
}

// Most counts are whole: "12" is shorter than "12.0".
json number(double value) {
  if (value == std::floor(value) && value < 1e15) return static_cast<std::int64_t>(value);
  return value;
}

// [us, count, count, ...]
json row_of(const Sample& sample) {
  json row = {number(sample.us)};
  for (const double count : sample.work.counts) row.push_back(number(count));
  return row;
}

std::vector<double> read_numbers(const json& numbers, std::size_t expected,
                                 const std::string& where) {
  const bool good = numbers.is_array() && numbers.size() == expected &&
                    std::all_of(numbers.begin(), numbers.end(), [](const json& n) {
                      return n.is_number() && n >= 0 && n <= kMostCounts;
                    });
  if (!good)
    throw UserError(str(where, ": expected ", expected, " numbers from 0 to ", kMostCounts,
                        ", got ", numbers.dump()));
  return numbers.get<std::vector<double>>();
}

double read_number(const json& holder, const char* key, const std::string& where) {
  const json value = holder.value(key, json());
  if (!value.is_number() || value < 0)
    throw UserError(str(where, "/", key, ": expected a number from 0 on, got ", value.dump()));
  return value;
}

KernelFit read_fit(const std::string& kernel, const json& known, const std::string& where) {
  if (!known.is_object() || !is_counted(kernel))
    throw UserError(str(where, ": expected the fit of a kernel of this version"));
  const std::vector<std::string>& names = work_names(kernel);
  if (known.value("features", json::array()) != json(names))
    throw UserError(str(where, "/features: expected ", json(names).dump(), ", got ",
                        known.value("features", json()).dump(),
                        "; the table is of another version, build it again"));
  KernelFit fit;
  fit.factors =
      read_numbers(known.value("us_per_count", json()), names.size(), where + "/us_per_count");
  fit.highest = read_numbers(known.value("highest", json()), names.size(), where + "/highest");
  fit.samples = static_cast<std::size_t>(read_number(known, "calls", where));
  fit.median_error = read_number(known, "median_error", where);
  fit.p95_error = read_number(known, "p95_error", where);
  fit.hit_rate = read_number(known, "hit_rate", where);
  return fit;
}

std::optional<Caches> read_caches(const json& table, const std::string& file) {
  if (!table.contains("cache_bytes")) return std::nullopt;
  const std::string where = file + ": /cache_bytes";
  const std::vector<double> bytes = read_numbers(table["cache_bytes"], 3, where);
  if (!(bytes[0] >= 1 && bytes[0] <= bytes[1] && bytes[1] <= bytes[2]))
    throw UserError(str(
        where, ": expected bytes of three cache levels, each at least that of the one before, got ",
        table["cache_bytes"].dump()));
  const auto whole = [&](std::size_t level) { return static_cast<std::int64_t>(bytes[level]); };
  Caches caches{whole(0), whole(1), whole(2), 0};
  if (table.contains("l3_turnover_us"))
    caches.l3_turnover_us = read_number(table, "l3_turnover_us", file + ": ");
  return caches;
}

Sample read_sample(const std::string& kernel, const json& row, const std::string& where) {
  std::vector<double> numbers = read_numbers(row, 1 + work_names(kernel).size(), where);
  if (numbers[0] <= 0)
    throw UserError(str(where, "/0: expected microseconds above 0, got ", numbers[0]));
  return {{kernel, {numbers.begin() + 1, numbers.end()}}, numbers[0]};
}

}  // namespace

void check_isa(const std::string& name, const std::string& where) {
  const auto& all = kernels::all_isas();
  if (std::none_of(all.begin(), all.end(),
                   [&](const kernels::Isa& isa) { return name == isa.name; }))
    throw UserError(
        str(where, ": expected an instruction set of `xgen-train targets`, got \"", name, "\""));
}

Work read_work(const std::string& kernel, const json& counts, const std::string& where) {
  std::vector<double> numbers = read_numbers(counts, work_names(kernel).size(), where);
  // A time without anything that takes it would be explained by whatever else there is.
  if (std::all_of(numbers.begin(), numbers.end(), [](double n) { return n == 0; }))
    throw UserError(str(where, ": expected the work of a call, got zeros alone"));
  return {kernel, std::move(numbers)};
}

LatencyTable::LatencyTable(Platform platform, std::vector<Sample> samples, Measurement measurement)
    : platform_(std::move(platform)),
      samples_(rounded(std::move(samples))),
      measurement_(std::move(measurement)) {
  std::map<std::string, std::vector<const Sample*>> by_kernel;
  for (const Sample& s : samples_) by_kernel[s.work.kernel].push_back(&s);
  for (const auto& [kernel, of_kernel] : by_kernel)
    fits_[kernel] = fit(of_kernel, {kernels::find_isa(platform_.kernels)});
}

Machine LatencyTable::machine(const Target& target) const {
  Machine machine = machine_of(target, platform_.kernels);
  if (measurement_.caches) machine.caches = *measurement_.caches;
  return machine;
}

double LatencyTable::hit_rate() const {
  double hits = 0, all = 0;
  for (const auto& [kernel, known] : fits_) {
    hits += known.hit_rate * static_cast<double>(known.samples);
    all += static_cast<double>(known.samples);
  }
  return all == 0 ? 0 : hits / all;
}

double LatencyTable::predict(const Work& work) const {
  return dot(fits_.at(work.kernel).factors, work.counts);
}

Prediction LatencyTable::predict(const Work& work, const Machine& machine) const {
  const auto at = fits_.find(work.kernel);
  Prediction p;
  if (at == fits_.end()) {
    p.us = dot(static_factors(work.kernel, machine), work.counts);
    p.low_us = p.us / (1 + kStaticError);
    p.high_us = p.us * (1 + kStaticError);
    p.extrapolated = true;
    return p;
  }
  const KernelFit& known = at->second;
  p.us = dot(known.factors, work.counts);
  p.low_us = p.us * (1 - std::min(known.p95_error, 0.99));
  p.high_us = p.us * (1 + known.p95_error);
  for (std::size_t i = 0; i < known.highest.size(); ++i)
    p.extrapolated = p.extrapolated || work.counts[i] > known.highest[i];
  return p;
}

std::vector<Work> LatencyTable::works(const Program& program, const Machine& machine) const {
  std::vector<Work> works = works_of(program, machine);
  if (machine.caches.l3_turnover_us <= 0)
    return works;  // no count depends on the time between uses
  std::vector<double> step_us;
  for (const Work& work : works) step_us.push_back(predict(work, machine).us);
  return works_of(program, machine, step_us);
}

Prediction LatencyTable::predict(const Program& program, const Machine& machine) const {
  Prediction sum;
  double below = 0, above = 0;
  for (const Work& work : works(program, machine)) {
    const Prediction p = predict(work, machine);
    sum.us += p.us;
    below += (p.us - p.low_us) * (p.us - p.low_us);
    above += (p.high_us - p.us) * (p.high_us - p.us);
    sum.extrapolated = sum.extrapolated || p.extrapolated;
  }
  sum.us *= program.batch;
  sum.low_us = std::max(0.0, sum.us - std::sqrt(below) * program.batch);
  sum.high_us = sum.us + std::sqrt(above) * program.batch;
  return sum;
}

json LatencyTable::fits_json() const {
  json kernels = json::object();
  for (const auto& [kernel, known] : fits_) {
    kernels[kernel] = {{"features", work_names(kernel)},     {"us_per_count", known.factors},
                       {"highest", known.highest},           {"calls", known.samples},
                       {"median_error", known.median_error}, {"p95_error", known.p95_error},
                       {"hit_rate", known.hit_rate}};
  }
  json table = {{"format", kFormat},
                {"target", platform_.target},
                {"kernels", platform_.kernels},
                {"cpu", platform_.cpu},
                {"compiler", platform_.compiler},
                {"batches", measurement_.batches},
                {"reference_us", measurement_.reference_us},
                {"fits", kernels}};
  if (const auto& caches = measurement_.caches) {
    table["cache_bytes"] = {caches->l1_bytes, caches->l2_bytes, caches->l3_bytes};
    table["l3_turnover_us"] = caches->l3_turnover_us;
  }
  return table;
}

void LatencyTable::save_fits(const std::filesystem::path& file) const {
  write_atomically(file, fits_json().dump() + "\n");
}

void LatencyTable::save(const std::filesystem::path& file) const {
  std::map<std::string, std::string> rows;
  for (const Sample& s : samples_) {
    std::string& of_kernel = rows[s.work.kernel];
    of_kernel += (of_kernel.empty() ? "\n" : ",\n") + row_of(s).dump();
  }
  // The samples come last, each on a line of its own: what embeds tables cuts them off, and a
  // difference between two versions can be read.
  std::string text = fits_json().dump();
  text.back() = ',';
  text +=
      "\n"
      R"("samples":{)";
  const char* comma = "";
  for (const auto& [kernel, of_kernel] : rows) {
    text += str(comma, "\n", json(kernel).dump(), ":[", of_kernel, "]");
    comma = ",";
  }
  write_atomically(file, text + "}}\n");
}

LatencyTable LatencyTable::load(const std::filesystem::path& file) {
  return read(load_config_json(file), file.string());
}

LatencyTable LatencyTable::parse(std::string_view text, const std::string& name) {
  return read(parse_config_json(std::string(text), name), name);
}

LatencyTable LatencyTable::read(const json& table, const std::string& file) {
  const json format = table.is_object() ? table.value("format", json()) : json();
  if (format != kFormat || !table.contains("fits") || !table["fits"].is_object())
    throw UserError(str(file, ": expected a latency table (\"format\": \"", kFormat, "\")",
                        format.is_string() && format != kFormat
                            ? str(", got ", format.dump(), "; build it again")
                            : ""));
  const auto text = [&](const char* key) {
    const json value = table.value(key, json(""));
    if (!value.is_string())
      throw UserError(str(file, ": /", key, ": expected a name, got ", value.dump()));
    return value.get<std::string>();
  };
  LatencyTable result;
  result.platform_ = {text("target"), text("kernels"), text("cpu"), text("compiler")};
  check_isa(result.platform_.kernels, str(file, ": /kernels"));
  for (const auto& [kernel, known] : table["fits"].items())
    result.fits_[kernel] = read_fit(kernel, known, str(file, ": /fits/", kernel));
  result.measurement_ = {static_cast<std::int64_t>(read_number(table, "batches", file + ": ")),
                         read_number(table, "reference_us", file + ": "), read_caches(table, file)};
  const json samples = table.value("samples", json::object());
  if (!samples.is_object())
    throw UserError(str(file, ": /samples: expected an object, got ", samples.type_name()));
  for (const auto& [kernel, rows] : samples.items()) {
    const std::string where = str(file, ": /samples/", kernel);
    if (result.fits_.count(kernel) == 0 || !rows.is_array())
      throw UserError(str(where, ": expected the calls of a kernel in /fits"));
    for (std::size_t i = 0; i < rows.size(); ++i)
      result.samples_.push_back(read_sample(kernel, rows[i], str(where, "/", i)));
  }
  return result;
}

}  // namespace xgen::latency
