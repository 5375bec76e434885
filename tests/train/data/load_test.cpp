#include "train/data/load.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/support/jpeg.h"
#include "tests/support/message.h"
#include "tests/support/temporary_folder.h"
#include "train/data/loader.h"

namespace xgen::train {
namespace {

using test::message_of;
using test::TemporaryFolder;

using ::testing::Each;
using ::testing::ElementsAre;

/// `n` samples of one pixel, whose value is their number; class c has every third.
ImageSet numbered(int n, int classes = 3) {
  ImageSet set;
  set.channels = set.height = set.width = 1;
  for (int i = 0; i < n; ++i) {
    set.pixels.push_back(static_cast<std::uint8_t>(i));
    set.labels.push_back(i % classes);
  }
  for (int c = 0; c < classes; ++c) set.class_names.push_back(str(c));
  return set;
}

DataConfig csv_config() {
  DataConfig config;
  config.format = "csv";
  config.path = "d.csv";
  config.channels = config.height = config.width = 1;
  config.validation_share = 0;
  return config;
}

TEST(Dataset, SubsetsShareTheImagesAndHashTheirOwnSamples) {
  const Dataset all(numbered(9));
  const Dataset some = all.subset({4, 2}).subset({1, 0});
  EXPECT_EQ(some.pixels(0)[0], 2);
  EXPECT_EQ(some.pixels(1)[0], 4);
  EXPECT_EQ(some.label(1), 1);
  EXPECT_EQ(some.hash(), all.subset({2, 4}).hash());
  EXPECT_NE(some.hash(), all.subset({4, 2}).hash());
  ImageSet other = numbered(9);
  other.labels[8] = 0;
  EXPECT_NE(Dataset(other).hash(), all.hash());
}

TEST(Dataset, StratifiedPositionsKeepTheSharesOfTheClasses) {
  ImageSet set = numbered(100, 4);
  for (int i = 0; i < 100; ++i)
    set.labels[static_cast<std::size_t>(i)] = i < 50 ? 0 : i < 81 ? 1 : 3;
  const Dataset data(set);
  const auto chosen = stratified_positions(data, 10, Random(1).stream("x"));
  std::array<int, 4> count{};
  for (const auto i : chosen) ++count[static_cast<std::size_t>(data.label(i))];
  EXPECT_THAT(count, ElementsAre(5, 3, 0, 2));
  EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
  EXPECT_EQ(chosen, stratified_positions(data, 10, Random(1).stream("x")));
  EXPECT_NE(chosen, stratified_positions(data, 10, Random(2).stream("x")));
  EXPECT_EQ(other_positions(100, chosen).size(), 90U);
}

TEST(LoadData, SplitsOnePieceIntoDisjointStratifiedSets) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 100; ++i) text += str(i, ",", i % 2, "\n");
  folder.put("d.csv", text);
  DataConfig config = csv_config();
  config.split = SplitConfig{60, 30, 7};
  config.validation_share = 0.1;
  const DataSplits splits = load_data(config, folder.path(), 1);
  EXPECT_EQ(splits.train.size(), 54);
  EXPECT_EQ(splits.validation.size(), 6);
  EXPECT_EQ(splits.test.size(), 30);
  std::set<int> seen;
  for (const Dataset* set : {&splits.train, &splits.validation, &splits.test}) {
    std::int64_t odd = 0;
    for (std::int64_t i = 0; i < set->size(); ++i) {
      seen.insert(set->pixels(i)[0]);
      odd += set->label(i);
    }
    EXPECT_EQ(2 * odd, set->size());
  }
  EXPECT_EQ(seen.size(), 90U);
  EXPECT_EQ(load_data(config, folder.path(), 1).hash(), splits.hash());
  EXPECT_EQ(load_data(config, folder.path(), 2).test.hash(), splits.test.hash());
  EXPECT_NE(load_data(config, folder.path(), 2).validation.hash(), splits.validation.hash());
}

TEST(LoadData, BringsImagesToTheSizeThatIsAskedFor) {
  const TemporaryFolder folder;
  // Left half black, right half white, and a grey one.
  folder.put("d.csv", "0,0,200,200,0,0,200,200,0\n90,90,90,90,90,90,90,90,1\n");
  DataConfig config = csv_config();
  config.height = 2;
  config.width = 4;
  config.split = SplitConfig{1, 1, 1};
  config.resize = ResizeConfig{1, 2};
  const DataSplits splits = load_data(config, folder.path(), 1);
  const Dataset& parted = splits.train.label(0) == 0 ? splits.train : splits.test;
  const Dataset& grey = splits.train.label(0) == 0 ? splits.test : splits.train;
  EXPECT_EQ(parted.height(), 1);
  EXPECT_EQ(parted.width(), 2);
  // A triangle of twice the width: weights 3, 3 and 1 (of 7) at the border.
  EXPECT_THAT(parted.pixels(0), ElementsAre(29, 171));
  EXPECT_THAT(grey.pixels(0), ElementsAre(90, 90));
  config.resize = ResizeConfig{2, 8};
  const Dataset& larger = load_data(config, folder.path(), 1).train;
  EXPECT_EQ(larger.pixels(0).size(), 16U);
}

// Photographs come in all sizes.
TEST(LoadData, BringsImagesOfAFolderToOneSize) {
  const TemporaryFolder folder;
  for (const char* set : {"train", "test"}) {
    folder.put(std::string(set) + "/a/1.jpg", test::jpeg(20, 10, 40));
    folder.put(std::string(set) + "/b/2.jpg", test::jpeg(8, 16, 160));
  }
  DataConfig config;
  config.path = ".";
  config.validation_share = 0;
  EXPECT_NE(
      message_of([&] { load_data(config, folder.path(), 1); }).find("2.jpg: expected 10 x 20"),
      std::string::npos);
  config.resize = ResizeConfig{8, 8};
  const DataSplits splits = load_data(config, folder.path(), 1);
  ASSERT_EQ(splits.train.size(), 2);
  EXPECT_EQ(splits.train.pixels(0).size(), 3U * 8 * 8);
  EXPECT_THAT(splits.train.pixels(0), Each(40));
  EXPECT_THAT(splits.test.pixels(1), Each(160));
}

TEST(LoadData, SaysWhatDoesNotFit) {
  const TemporaryFolder folder;
  DataConfig config = csv_config();
  const auto message = [&] {
    return message_of([&] { load_data(config, folder.path(), 1); }, folder.path());
  };
  EXPECT_EQ(message(), "F/d.csv: the data were not found");
  folder.put("d.csv", "1,0\n2,1\n");
  EXPECT_EQ(message(),
            "/data: the format csv needs either \"split\", or the files \"train\" and \"test\"");
  config.split = SplitConfig{2, 1, 1};
  EXPECT_EQ(message(), "/data/split: expected at most 2 samples in F/d.csv, got 2 + 1");
  config.split = SplitConfig{1, 1, 1};
  config.normalize.mean = {0, 0, 0};
  EXPECT_EQ(message(),
            "/data/normalize/mean: expected 1 number, as the images have 1 channel, got 3");
  config = csv_config();
  config.path = "";
  config.train = "d.csv";
  config.test = "test.csv";
  folder.put("test.csv", "1,5\n");
  EXPECT_EQ(message(), "F/: the test set has a class \"2\" that the training set does not have");
}

TEST(DataConfig, RefusesWhatOneFieldCannotSay) {
  const auto message = [](const char* text) {
    return message_of([&] { read_config<DataConfig>(nlohmann::json::parse(text), "c.json"); });
  };
  EXPECT_EQ(message(R"({"format": "csv", "path": "x"})"),
            "c.json: /: expected channels, height and width with the format csv");
  EXPECT_EQ(message(R"({"format": "idx", "path": "x", "split": {"train": 1, "test": 1}})"),
            "c.json: /split: expected only with the format csv");
  EXPECT_EQ(message(R"({"format": "idx", "path": "x", "augment": {"mixup": 0.2, "flip": true}})"),
            "");
}

std::vector<std::int64_t> labels_of(Loader& loader) {
  std::vector<std::int64_t> all;
  while (const auto batch = loader.next()) {
    all.insert(all.end(), batch->labels.begin(), batch->labels.end());
  }
  return all;
}

TEST(Loader, OrderDependsOnSeedAndEpochAndResumesInTheMiddle) {
  const BatchMaker maker(Dataset(numbered(100, 100)), {}, {});
  const auto order = [&](std::uint64_t seed, std::int64_t epoch, std::int64_t first) {
    LoaderOptions options;
    options.batch_size = 8;
    options.epoch = epoch;
    options.first_batch = first;
    options.prefetched = 2;
    Loader loader(maker, Random(seed), options);
    return labels_of(loader);
  };
  const auto whole = order(1, 0, 0);
  EXPECT_EQ(whole.size(), 96U);
  EXPECT_EQ(std::set<std::int64_t>(whole.begin(), whole.end()).size(), 96U);
  EXPECT_NE(whole, order(1, 1, 0));
  EXPECT_NE(whole, order(2, 0, 0));
  EXPECT_EQ(order(1, 0, 5), std::vector<std::int64_t>(whole.begin() + 40, whole.end()));
}

TEST(Loader, EvaluatesEverySampleInOrderAndASmallSetIsOneBatch) {
  const BatchMaker maker(Dataset(numbered(5, 5)), {}, {});
  LoaderOptions options;
  options.batch_size = 2;
  options.training = false;
  Loader loader(maker, Random(1), options);
  EXPECT_THAT(labels_of(loader), ElementsAre(0, 1, 2, 3, 4));
  options.training = true;
  options.batch_size = 64;
  Loader small(maker, Random(1), options);
  EXPECT_EQ(labels_of(small).size(), 5U);
}

TEST(Loader, CanBeLeftBeforeItsEnd) {
  const BatchMaker maker(Dataset(numbered(100)), {}, {});
  LoaderOptions options;
  options.batch_size = 1;
  Loader loader(maker, Random(1), options);
  EXPECT_TRUE(loader.next().has_value());
}

ImageSet picture() {
  ImageSet set;
  set.channels = 2;
  set.height = 2;
  set.width = 3;
  set.pixels = {1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60};
  set.labels = {0};
  set.class_names = {"a"};
  return set;
}

TEST(BatchMaker, NormalisesPerChannelWithChannelsLast) {
  NormalizeConfig normalize;
  normalize.divide = 10;
  normalize.mean = {0, 1};
  normalize.std = {1, 0.5};
  const Batch batch = BatchMaker(Dataset(picture()), normalize, {}).plain({0});
  EXPECT_THAT(batch.images, ElementsAre(0.1F, 0, 0.2F, 2, 0.3F, 4, 0.4F, 6, 0.5F, 8, 0.6F, 10));
}

TEST(BatchMaker, CropsFlipsAndBlanksByEpochAndSample) {
  NormalizeConfig normalize;
  normalize.divide = 1;
  normalize.mean = {100};
  AugmentConfig augment;
  augment.random_crop_padding = 1;
  augment.flip = true;
  const BatchMaker maker(Dataset(picture()), normalize, augment);
  std::set<std::vector<float>> seen;
  for (int epoch = 0; epoch < 300; ++epoch) {
    const Batch batch = maker.augmented({0}, Random(1), epoch, 0);
    EXPECT_EQ(batch.images, maker.augmented({0}, Random(1), epoch, 5).images);
    seen.insert(batch.images);
    for (std::size_t i = 0; i < 6; ++i) {
      // Both channels move together; what comes from outside is black before it is normalised.
      EXPECT_EQ(batch.images[2 * i + 1] + 100, 10 * (batch.images[2 * i] + 100));
    }
  }
  EXPECT_EQ(seen.size(), 18U);  // 3 x 3 windows, mirrored or not
  EXPECT_TRUE(seen.contains({-97, -70, -98, -80, -99, -90, -94, -40, -95, -50, -96, -60}));

  AugmentConfig cutout;
  cutout.cutout = 10;
  EXPECT_THAT(
      BatchMaker(Dataset(picture()), normalize, cutout).augmented({0}, Random(1), 0, 0).images,
      Each(0.0F));
}

TEST(BatchMaker, MixupBlendsImagesAndLabelsAlike) {
  ImageSet set = numbered(50, 50);
  AugmentConfig augment;
  augment.mixup = 1;
  NormalizeConfig normalize;
  normalize.divide = 1;
  const BatchMaker maker(Dataset(set), normalize, augment);
  std::vector<std::int64_t> positions(50);
  for (std::size_t i = 0; i < 50; ++i) positions[i] = static_cast<std::int64_t>(i);
  const Batch batch = maker.augmented(positions, Random(3), 0, 0);
  EXPECT_GT(batch.first_share, 0);
  EXPECT_LT(batch.first_share, 1);
  for (std::size_t i = 0; i < 50; ++i) {
    // The pixel is the sample's number, which is its label.
    EXPECT_NEAR(batch.images[i],
                batch.first_share * static_cast<double>(batch.labels[i]) +
                    (1 - batch.first_share) * static_cast<double>(batch.second_labels[i]),
                1e-4);
  }
  EXPECT_NE(batch.first_share, maker.augmented(positions, Random(3), 0, 1).first_share);
}

}  // namespace
}  // namespace xgen::train
