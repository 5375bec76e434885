#include "cli/run/report_charts.h"
#include "cli/run/report_sections.h"
#include "cli/run/report_values.h"
#include "core/error.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

/// Curves over all epochs of a run: stages follow each other on one axis.
struct Curves {
  Series accuracy{"validation top-1", {}};
  Series train_loss{"training loss", {}};
  Series validation_loss{"validation loss", {}};
  std::vector<Span> spans;
  double epochs = 0;

  void add(const std::string& stage, const json& history) {
    if (history.empty()) return;
    const double start = epochs;
    bool first = true;
    for (const json& epoch : history) {
      ++epochs;
      const std::string where =
          str(stage, ", epoch ",
              or_absent(number_at(epoch, "/epoch"), [](double n) { return fixed(n, 0); }));
      const auto put = [&](Series& series, const std::optional<double>& y,
                           const std::string& shown) {
        if (y) series.points.push_back({epochs, *y, str(where, ": ", shown), first});
      };
      const bool validated = number_at(epoch, "/validation/samples").value_or(1) > 0;
      const auto top1 = number_at(epoch, "/validation/top1");
      const auto loss = number_at(epoch, "/train_loss");
      const auto held_back = number_at(epoch, "/validation/loss");
      if (validated) put(accuracy, top1, or_absent(top1, [](double x) { return percent(x); }));
      put(train_loss, loss, or_absent(loss, significant));
      if (validated) put(validation_loss, held_back, or_absent(held_back, significant));
      first = false;
    }
    spans.push_back({start + 0.5, epochs + 0.5, stage});
  }
};

}  // namespace

std::string curves_section(const json& report) {
  Curves curves;
  for (const json& stage : list_at(report, "/stages")) {
    const std::string name = text_at(stage, "/name");
    const json& before = list_at(stage, "/algorithm_history");
    curves.add(str(name, " (", text_at(stage, "/algorithm"), ")"), before);
    curves.add(before.empty() ? name : name + " (fine-tuning)", list_at(stage, "/history"));
  }
  const std::string charts =
      line_chart(
          {"Accuracy on the validation split", "epoch", true, {curves.accuracy}, curves.spans}) +
      line_chart(
          {"Loss", "epoch", false, {curves.train_loss, curves.validation_loss}, curves.spans});
  return charts.empty() ? "" : str("<h2>Training</h2>\n<div class=\"charts\">", charts, "</div>\n");
}

std::string points_section(const json& report) {
  const json& points = list_of_run(report, "/points");
  ScatterChart chart;
  chart.title = "Points found";
  chart.x_label = "latency, ms";
  const bool has_accuracy = !points.empty() && number_at(points[0], "/accuracy").has_value();
  // Before a point is trained, only the harm that a scan predicts is known.
  const char* key = has_accuracy ? "/accuracy" : "/harm";
  chart.y_label = has_accuracy ? "accuracy" : "predicted growth of the loss";
  chart.y_in_percent = has_accuracy;
  chart.less_y_is_better = !has_accuracy;
  for (const json& point : points) {
    const auto x = number_at(point, "/latency_ms"), y = number_at(point, key);
    if (x && y) chart.points.push_back({*x, *y, text_at(point, "/label")});
  }
  if (chart.points.size() < 2) return "";
  return str("<h2>Accuracy against latency</h2>\n<div class=\"charts\">", scatter_chart(chart),
             "</div>\n");
}

}  // namespace xgen::cli
