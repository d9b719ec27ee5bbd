using { cuid, managed } from '@sap/cds/common';

namespace sales;

entity Partners : cuid, managed {
  kind      : String(1);
  name      : String(200);
  firstName : String(80);
  lastName  : String(80);
  email     : String(200);
  phone     : String(40);
  vat       : String(40);
  city      : String(80);
}

entity Orders : cuid, managed {
  number    : String(20);
  partner   : Association to Partners;
  orderedOn : Date;
  total     : Decimal(15, 2);
  currency  : String(3);
  items     : Composition of many Items on items.order = $self;
}

entity Items : cuid {
  order    : Association to Orders;
  product  : String(80);
  quantity : Decimal(13, 3);
  amount   : Decimal(15, 2);
}

@path: '/odata/v4/sales'
@requires: 'authenticated-user'
service SalesService {
  entity BusinessPartners as projection on Partners;
  entity SalesOrders      as projection on Orders;
  entity OrderItems       as projection on Items;
}
