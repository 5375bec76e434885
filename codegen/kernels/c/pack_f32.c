static void pack_f32(const xgen_pack* c, const xgen_context* ctx, const void* external) {
  const float* from = (const float*)(c->flat == XGEN_NONE ? external : ctx->arena + c->flat);
  clear_planes(&c->planes, ctx->arena);
  for (int channel = 0; channel < c->channels; ++channel) {
    char* plane = ctx->arena + ctx->tables[c->channel + channel] + c->planes.data;
    for (int y = 0; y < c->planes.height;
         ++y, from += c->planes.width, plane += 4 * (ptrdiff_t)c->planes.pitch) {
      if (c->planes.phases <= 1) {
        copy_lanes(plane, (const char*)from, c->planes.width);
      } else {
        for (int x = 0; x < c->planes.width; ++x)
          memcpy(plane + column_offset(&c->planes, x), from + x, 4);
      }
    }
  }
}
