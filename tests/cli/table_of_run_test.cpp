#include "cli/run/table_of_run.h"

#include <gmock/gmock.h>

#include "codegen/latency/tables.h"
#include "codegen/targets.h"
#include "core/error.h"
#include "tests/codegen/latency/map_work.h"
#include "tests/support/environment.h"
#include "tests/support/temporary_folder.h"

namespace xgen::cli {
namespace {

using latency::LatencyTable;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TableOfRun : public ::testing::Test {
 protected:
  TableOfRun() : place_("XDG_DATA_HOME", (folder_ / "data").string()) {
    sources_.target = find_target("host");
    sources_.target.name = "a test's";  // no table of it is committed
    sources_.kept = folder_ / "run/latency_table.json";
    sources_.build_minutes = 0;
  }
  // A table in which a map takes so long.
  LatencyTable table(double us) const {
    latency::Platform platform = latency::host_platform(sources_.target);
    return {platform, {{latency::map_work(100), us}}};
  }
  // What a map takes by the table of the run; nothing by the static estimate.
  std::optional<double> chosen() {
    notes_.clear();
    const LatencyTable table =
        table_of_run(sources_, [this](const std::string& text) { notes_.push_back(text); });
    EXPECT_EQ(table.platform().target, sources_.target.name);
    if (table.fits().empty()) return std::nullopt;
    return table.predict(latency::map_work(100));
  }

  test::TemporaryFolder folder_;
  test::EnvironmentVariable place_;
  TableSources sources_;
  std::vector<std::string> notes_;
};

TEST_F(TableOfRun, IsTheOneItBeganWithThenTheGivenOneThenTheMachinesOwn) {
  EXPECT_EQ(chosen(), std::nullopt);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("the static estimate serves")));
  const LatencyTable own = table(1);
  own.save(latency::table_file(own.platform()));
  EXPECT_NEAR(chosen().value(), 1, 1e-9);
  sources_.given = folder_ / "given.json";
  table(2).save(sources_.given);
  EXPECT_NEAR(chosen().value(), 2, 1e-9);
  table(2).save_fits(sources_.kept);
  EXPECT_NEAR(chosen().value(), 2, 1e-9);
  EXPECT_THAT(notes_, IsEmpty());
  table(3).save(sources_.given);
  EXPECT_NEAR(chosen().value(), 2, 1e-9);
  EXPECT_THAT(notes_,
              ElementsAre(HasSubstr(
                  "given.json: is another table than the run began with; it goes on with")));
  std::filesystem::remove(sources_.given);
  EXPECT_NEAR(chosen().value(), 2, 1e-9);
}

TEST_F(TableOfRun, StaysTheStaticEstimateWhenTheMachineGetsATable) {
  LatencyTable(latency::host_platform(sources_.target), {}).save_fits(sources_.kept);
  table(1).save(latency::table_file(table(1).platform()));
  EXPECT_EQ(chosen(), std::nullopt);
}

TEST_F(TableOfRun, OfAnotherDeviceIsNeverBuilt) {
  sources_.target = find_target(sources_.target.arch == "aarch64" ? "x86_64" : "aarch64");
  sources_.build_minutes = 1000;
  EXPECT_EQ(chosen(), std::nullopt);
}

TEST_F(TableOfRun, IsTheStaticEstimateWhereNoneCanBeStored) {
  folder_.put("data", "no folder");
  sources_.build_minutes = 0.001;
  EXPECT_EQ(chosen(), std::nullopt);
  EXPECT_THAT(notes_, ElementsAre(::testing::AllOf(HasSubstr("no latency table can be built: "),
                                                   HasSubstr("; the static estimate serves"))));
}

TEST_F(TableOfRun, RefusesAGivenFileThatIsNone) {
  sources_.given = folder_.put("given.json", "[]");
  EXPECT_THROW(chosen(), UserError);
}

}  // namespace
}  // namespace xgen::cli
