static void unpack_f32(const xgen_pack* c, const xgen_context* ctx, void* external) {
  char* to = (char*)(c->flat == XGEN_NONE ? external : ctx->arena + c->flat);
  for (int channel = 0; channel < c->channels; ++channel) {
    const char* plane = ctx->arena + ctx->tables[c->channel + channel] + c->planes.data;
    for (int y = 0; y < c->planes.height; ++y, to += 4 * (size_t)c->planes.width) {
      copy_lanes(to, plane + 4 * (ptrdiff_t)y * c->planes.pitch, c->planes.width);
    }
  }
}
