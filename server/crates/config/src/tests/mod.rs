mod environment;
mod files;
mod layers;
mod load;
mod reload;
mod stated;
