export default {
  build: {
    modulePreload: false,
    rollupOptions: { output: { entryFileNames: "assets/core-[hash].js" } },
  },
};
