module larder/loadtest/generator

go 1.22
