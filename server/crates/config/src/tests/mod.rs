mod environment;
mod files;
mod load;
mod reload;
