#include <cmath>

#include "cli/run/report_charts.h"
#include "cli/run/report_sections.h"
#include "cli/run/report_values.h"
#include "core/error.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

std::string times(double factor) { return fixed(factor, 2) + "×"; }
std::string divided(double factor) { return "÷ " + fixed(factor, 1); }
std::string small(const std::string& text) {
  return "<br><span class=\"small\">" + text + "</span>";
}
std::string accuracy(double share) { return percent(share); }

/// What the run is about, and what it is compared with.
struct Outcome {
  std::vector<VariantRow> variants;
  const VariantRow* result = nullptr;
  const VariantRow* dense = nullptr;
  std::optional<double> drop_points;  ///< percentage points lost against dense fp32.

  explicit Outcome(const json& report) : variants(variants_of(report)) {
    if (variants.empty()) return;
    result = find_variant(variants, "compressed");
    if (result == nullptr) result = &variants.back();
    dense = find_variant(variants, "dense fp32");
    if (dense != nullptr && dense != result && dense->accuracy && result->accuracy) {
      drop_points = 100 * (*dense->accuracy - *result->accuracy);
    }
  }
  // `result` and `dense` point into `variants`.
  Outcome(const Outcome&) = delete;
  Outcome& operator=(const Outcome&) = delete;
};

std::string drop_text(double points) {
  if (std::abs(points) < 0.005) return "the same accuracy as the dense network";
  return str(fixed(std::abs(points), 2), points > 0 ? " points below" : " points above",
             " the dense network");
}

std::string tile(const std::string& title, const std::string& value, const std::string& note) {
  return value.empty() ? ""
                       : str("<div class=\"tile\"><span>", title, "</span><b>", value, "</b><span>",
                             note, "</span></div>\n");
}

}  // namespace

std::string summary_sentence(const json& report) {
  const Outcome outcome(report);
  if (outcome.result == nullptr) return "";
  const VariantRow& result = *outcome.result;
  std::string text = "The " + result.name + " network";
  if (result.accuracy) {
    text += str(" classifies ", percent(*result.accuracy),
                result.on_test_split ? " of the test images" : " of the validation images",
                " correctly");
    if (outcome.drop_points) text += str(" (", drop_text(*outcome.drop_points), ")");
  }
  if (result.latency_ms) {
    text += str(result.accuracy ? " and" : "", " takes ", milliseconds(*result.latency_ms),
                " an image");
    if (&result != outcome.dense && result.over_dense_fp32) {
      text += str(": ", fixed(*result.over_dense_fp32, 2), " times as fast as dense fp32");
      if (result.name != "dense int8" && result.over_dense_int8) {
        text += str(", ", fixed(*result.over_dense_int8, 2), " times as fast as dense int8");
      }
    }
  }
  return text + ".";
}

std::string summary_tiles(const json& report) {
  const Outcome outcome(report);
  if (outcome.result == nullptr) return "";
  const VariantRow& result = *outcome.result;
  const VariantRow* dense = outcome.dense;
  const auto was = [&](std::optional<double> VariantRow::*field, const auto& format) {
    return dense != nullptr && dense != &result && (dense->*field)
               ? str("dense fp32: ", format(*(dense->*field)))
               : std::string();
  };
  const std::string tiles =
      tile("Accuracy", or_absent(result.accuracy, accuracy), was(&VariantRow::accuracy, accuracy)) +
      tile("Latency", or_absent(result.latency_ms, milliseconds),
           was(&VariantRow::latency_ms, milliseconds)) +
      tile("Weights", or_absent(result.size_bytes, bytes), was(&VariantRow::size_bytes, bytes)) +
      tile("MACs", or_absent(result.macs, count), was(&VariantRow::macs, count)) +
      tile("Peak memory", or_absent(result.memory_bytes, bytes),
           was(&VariantRow::memory_bytes, bytes));
  return tiles.empty() ? "" : str("<div class=\"tiles\">\n", tiles, "</div>\n");
}

std::string variants_section(const json& report) {
  const Outcome outcome(report);
  if (outcome.result == nullptr) return "";
  const bool on_test = outcome.result->on_test_split;
  HtmlTable table{{{"Compiled network", "layer"},
                   {on_test ? "Test top-1" : "Validation top-1", "n"},
                   {"Latency", "n"},
                   {"vs dense fp32", "n"},
                   {"vs dense int8", "n"},
                   {"Weights", "n"},
                   {"Code", "n"},
                   {"MACs", "n"},
                   {"Peak memory", "n"}},
                  {}};
  for (const VariantRow& v : outcome.variants) {
    std::string latency = or_absent(v.latency_ms, milliseconds);
    if (v.p95_ms) latency += small("95 %: " + milliseconds(*v.p95_ms));
    if (v.low_ms && v.high_ms)
      latency +=
          small(str("predicted: ", milliseconds(*v.low_ms), " to ", milliseconds(*v.high_ms)));
    std::string macs = or_absent(v.macs, count);
    if (v.macs_divided_by && *v.macs_divided_by > 1) macs += small(divided(*v.macs_divided_by));
    table.rows.push_back({{escaped(v.name), or_absent(v.accuracy, accuracy), latency,
                           or_absent(v.over_dense_fp32, times), or_absent(v.over_dense_int8, times),
                           or_absent(v.size_bytes, bytes), or_absent(v.code_bytes, bytes), macs,
                           or_absent(v.memory_bytes, bytes)},
                          &v == outcome.result ? "strong" : ""});
  }
  return "<h2>The compiled networks</h2>\n" + table.html();
}

namespace {

// What earlier choices of rates came to, where a requirement was missed.
std::string rounds_table(const json& report) {
  HtmlTable table{{{"Earlier round", "n"}, {"Rates were chosen for", "layer"}, {"Got", "why"}}, {}};
  for (const json& round : list_at(report, "/rounds")) {
    std::string goal, got;
    for (const auto& [name, limit] : round.at("goal").items())
      goal += str(goal.empty() ? "" : ", ", name, " ", plain(limit));
    for (const json& row : list_at(round, "/requirements"))
      got += str(got.empty() ? "" : ", ", text_at(row, "/name"), " ",
                 or_absent(number_at(row, "/got"), plain),
                 row.at("met").get<bool>() ? "" : " (missed)");
    table.rows.push_back(
        {{std::to_string(table.rows.size() + 1), escaped(goal), escaped(got)}, ""});
  }
  return table.rows.empty() ? "" : table.html();
}

}  // namespace

std::string requirements_section(const json& report) {
  HtmlTable table{{{"Requirement", "layer"}, {"Wanted", "n"}, {"Got", "n"}, {"", "n"}}, {}};
  for (const json& r : list_of_run(report, "/requirements")) {
    if (!r.is_object()) continue;
    const bool met = r.value("met", json()) == json(true);
    table.rows.push_back(
        {{escaped(text_at(r, "/name")), or_absent(number_at(r, "/wanted"), plain),
          or_absent(number_at(r, "/got"), plain),
          met ? "<span class=\"met\">✓ met</span>" : "<span class=\"miss\">✗ not met</span>"}});
  }
  return table.rows.empty() ? "" : "<h2>Requirements</h2>\n" + table.html() + rounds_table(report);
}

std::string stages_section(const json& report) {
  HtmlTable table{{{"Stage", "layer"},
                   {"Kind", ""},
                   {"Epochs", "n"},
                   {"Validation top-1", "n"},
                   {"Loss", "n"},
                   {"Conv MACs", "n"},
                   {"Time", "n"},
                   {"How", "why"}},
                  {}};
  for (const json& stage : list_at(report, "/stages")) {
    const std::size_t epochs =
        list_at(stage, "/history").size() + list_at(stage, "/algorithm_history").size();
    std::string how;
    for (const char* key : {"scheme", "algorithm", "final_type", "observer", "kernels"}) {
      const std::string value = text_at(stage, str("/", key));
      if (!value.empty()) how += (how.empty() ? "" : ", ") + value;
    }
    if (text_at(stage, "/device") == "cuda") how += how.empty() ? "on CUDA" : ", on CUDA";
    table.rows.push_back({{escaped(text_at(stage, "/name")), escaped(text_at(stage, "/kind")),
                           epochs == 0 ? "" : std::to_string(epochs),
                           or_absent(number_at(stage, "/validation/top1"), accuracy),
                           or_absent(number_at(stage, "/validation/loss"), significant),
                           or_absent(number_at(stage, "/conv_macs_divided_by"), divided),
                           or_absent(number_at(stage, "/seconds"), duration), escaped(how)}});
  }
  return table.rows.empty() ? "" : "<h2>Stages</h2>\n" + table.html();
}

}  // namespace xgen::cli
