#include "cli/latency_reports.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "cli/table.h"
#include "codegen/latency/speed_reference.h"
#include "codegen/latency/step_times.h"
#include "codegen/targets.h"
#include "core/error.h"
#include "core/log.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

// Relative; where the reference's time differs by more it is told.
constexpr double kAsFast = 0.04;

std::string percent(double share) { return fixed_text(100 * share, 1) + " %"; }

// What a kernel takes by a second table, over what it takes by a first.
struct Ratio {
  std::string kernel;
  std::size_t calls = 0;
  double median = 0, p10 = 0, p90 = 0;
};

std::vector<Ratio> ratios(const latency::LatencyTable& a, const latency::LatencyTable& b) {
  std::map<std::string, std::vector<double>> by_kernel;
  for (const latency::LatencyTable* table : {&a, &b}) {
    for (const latency::Sample& sample : table->samples()) {
      const std::string& kernel = sample.work.kernel;
      if (a.fits().count(kernel) == 0 || b.fits().count(kernel) == 0) continue;
      const double first = a.predict(sample.work), second = b.predict(sample.work);
      if (first > 0) by_kernel[kernel].push_back(second / first);
    }
  }
  std::vector<Ratio> rows;
  for (auto& [kernel, values] : by_kernel) {
    std::sort(values.begin(), values.end());
    const auto at = [&](double share) {
      return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
    };
    rows.push_back({kernel, values.size(), at(0.5), at(0.1), at(0.9)});
  }
  return rows;
}

std::string name_of(const latency::LatencyTable& table) {
  return str(table.platform().cpu, ", ", table.platform().kernels, ", ", table.platform().compiler);
}

std::string slower_text(const json& result) {
  const double slower = result.value("slower_than_table", 1.0);
  if (std::abs(slower - 1) <= kAsFast) return "";
  return str("the machine is disturbed, or another one: a reference takes ", fixed_text(slower, 2),
             " times as long as when the table was measured\n");
}

}  // namespace

latency::LatencyTable load_table(const TableChoice& choice) {
  const Target target = find_target(choice.target);
  if (!choice.file.empty()) {
    latency::LatencyTable table = latency::load_table(choice.file, target);
    latency::say({table, choice.file});
    return table;
  }
  if (!runs_here(target)) {
    log::warning(str("target \"", target.name,
                     "\": the static estimate serves; `xgen-train latency build --target ",
                     target.name,
                     " --from FILE` makes a table of what the bench program of a bundle ",
                     "printed there, and --table takes it"));
    return {{target.name, target.kernels.back(), "", ""}, {}};
  }
  const latency::Platform platform = latency::host_platform(target);
  if (const auto found = latency::find_table(platform)) {
    latency::say(*found);
    return found->table;
  }
  log::warning(latency::text_of_no_table(platform));
  return {platform, {}};
}

json list_of(const std::vector<latency::FoundTable>& tables) {
  json rows = json::array();
  for (const latency::FoundTable& found : tables) {
    const latency::Platform& p = found.table.platform();
    std::size_t calls = 0;
    for (const auto& [kernel, fit] : found.table.fits()) calls += fit.samples;
    rows.push_back({{"target", p.target},
                    {"cpu", p.cpu},
                    {"kernels", p.kernels},
                    {"compiler", p.compiler},
                    {"calls", calls},
                    {"origin", found.origin}});
  }
  return rows;
}

std::string list_text(const json& list) {
  if (list.empty()) return "there is no latency table\n";
  Table rows({"<cpu", "<kernels", "<compiler", "calls", "<from"});
  for (const json& table : list)
    rows.add({table["cpu"], table["kernels"], table["compiler"],
              std::to_string(table["calls"].get<std::size_t>()), table["origin"]});
  return rows.text();
}

json fits_of(const latency::LatencyTable& table) {
  json rows = json::array();
  for (const auto& [kernel, fit] : table.fits()) {
    json factors = json::object();
    const auto& names = latency::work_names(kernel);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (fit.factors[i] > 0) factors[names[i]] = 1e3 * fit.factors[i];
    }
    rows.push_back({{"kernel", kernel},
                    {"samples", fit.samples},
                    {"median_error", fit.median_error},
                    {"p95_error", fit.p95_error},
                    {"hit_rate", fit.hit_rate},
                    {"ns_per_count", factors}});
  }
  return rows;
}

std::string fits_text(const latency::LatencyTable& table) {
  const latency::Platform& p = table.platform();
  Table rows({"<kernel", "samples", "within 10 %", "half within", "95 % within", "<ns per count"});
  for (const json& fit : fits_of(table)) {
    std::string factors;
    for (const auto& [name, ns] : fit["ns_per_count"].items())
      factors += str(factors.empty() ? "" : ", ", name, " ", fixed_text(ns, 2));
    rows.add({fit["kernel"], std::to_string(fit["samples"].get<std::size_t>()),
              percent(fit["hit_rate"]), percent(fit["median_error"]), percent(fit["p95_error"]),
              factors});
  }
  return str(p.cpu, ", ", p.kernels, ", ", p.compiler, "\n", rows.text(),
             "within 10 %, of all calls: ", percent(table.hit_rate()), "\n");
}

json check_model(const latency::LatencyTable& table, const CompiledModel& model) {
  const Program& program = model.program;
  const latency::Machine machine = table.machine(model.target);
  TimedModel timed(HostModel::build(program, {machine.isa.name}));
  latency::SpeedReference reference(model.target, machine.isa.name);
  const StepTimes times = time_steps({&timed}, 31, 201, [&] { reference.observe(); }).front();
  const std::vector<latency::Work> works = table.works(program, machine);
  json rows = json::array();
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    rows.push_back({{"name", program.steps[s].name},
                    {"kernel", program.steps[s].kernel},
                    {"predicted_us", table.predict(works[s], machine).us},
                    {"measured_us", times.step_us[s]}});
  }
  const latency::Prediction whole = table.predict(program, machine);
  json result = {
      {"predicted_ms", 1e-3 * whole.us}, {"measured_ms", 1e-3 * times.run_us}, {"kernels", rows}};
  // How fast the machine is now; nobody knows how fast it was for a table from a device.
  if (const double then_us = table.measurement().reference_us; then_us > 0)
    result["slower_than_table"] = reference.least_us() / then_us;
  return result;
}

std::string check_text(const json& result) {
  Table rows({"<kernel call", "<kernel", "predicted us", "measured us", "error"});
  std::size_t within = 0;
  for (const json& k : result["kernels"]) {
    const double predicted = k["predicted_us"], measured = k["measured_us"];
    const double error = predicted / measured - 1;
    within += std::abs(error) <= 0.1 ? 1 : 0;
    rows.add({k["name"], k["kernel"], fixed_text(predicted, 2), fixed_text(measured, 2),
              percent(error)});
  }
  const double predicted = result["predicted_ms"], measured = result["measured_ms"];
  return str(rows.text(), within, " of ", result["kernels"].size(),
             " kernels within 10 %; whole model: predicted ", fixed_text(predicted, 4),
             " ms, measured ", fixed_text(measured, 4), " ms (", percent(predicted / measured - 1),
             ")\n", slower_text(result));
}

json check_samples(const latency::LatencyTable& table, const latency::LatencyTable& other) {
  std::map<std::string, std::vector<double>> errors;
  for (const latency::Sample& sample : other.samples()) {
    if (table.fits().count(sample.work.kernel) != 0)
      errors[sample.work.kernel].push_back(std::abs(table.predict(sample.work) / sample.us - 1));
  }
  const auto within = [](const std::vector<double>& e) {
    return static_cast<double>(
        std::count_if(e.begin(), e.end(), [](double error) { return error <= 0.1; }));
  };
  json rows = json::array();
  double good = 0, all = 0;
  for (auto& [kernel, of_kernel] : errors) {
    std::sort(of_kernel.begin(), of_kernel.end());
    good += within(of_kernel);
    all += static_cast<double>(of_kernel.size());
    rows.push_back(
        {{"kernel", kernel},
         {"calls", of_kernel.size()},
         {"within_10_percent", within(of_kernel) / static_cast<double>(of_kernel.size())},
         {"median_error", of_kernel[of_kernel.size() / 2]}});
  }
  if (rows.empty()) throw UserError("the two tables have no kernel in common");
  return {{"calls", all}, {"within_10_percent", good / all}, {"kernels", rows}};
}

std::string samples_text(const json& result) {
  Table rows({"<kernel", "calls", "within 10 %", "median error"});
  for (const json& k : result["kernels"])
    rows.add({k["kernel"], std::to_string(k["calls"].get<std::size_t>()),
              percent(k["within_10_percent"]), percent(k["median_error"])});
  return str(rows.text(), percent(result["within_10_percent"]), " of ",
             result["calls"].get<double>(), " kernel calls within 10 %\n");
}

json compare_tables(const latency::LatencyTable& first, const latency::LatencyTable& second) {
  json rows = json::array(), only = json::array();
  for (const Ratio& r : ratios(first, second)) {
    rows.push_back({{"kernel", r.kernel},
                    {"calls", r.calls},
                    {"second_over_first", r.median},
                    {"p10", r.p10},
                    {"p90", r.p90}});
  }
  if (rows.empty()) throw UserError("the two tables have no kernel in common");
  for (const auto& [here, there] : {std::pair(&first, &second), std::pair(&second, &first)}) {
    for (const auto& [kernel, fit] : here->fits()) {
      if (there->fits().count(kernel) == 0) only.push_back(kernel);
    }
  }
  return {
      {"first", name_of(first)}, {"second", name_of(second)}, {"kernels", rows}, {"in_one", only}};
}

std::string compare_text(const json& result) {
  Table rows({"<kernel", "calls", "second over first", "10 %", "90 %"});
  for (const json& r : result["kernels"])
    rows.add({r["kernel"], std::to_string(r["calls"].get<std::size_t>()),
              fixed_text(r["second_over_first"], 2), fixed_text(r["p10"], 2),
              fixed_text(r["p90"], 2)});
  std::string text = str("first:  ", result["first"].get<std::string>(),
                         "\nsecond: ", result["second"].get<std::string>(), "\n", rows.text());
  for (const json& kernel : result["in_one"])
    text += str(kernel.get<std::string>(), " is in one table alone\n");
  return text;
}

}  // namespace xgen::cli
